// Keeps pages of the inbox up to date while they are open. Without it a reload does. Nothing that is typed is touched.
(() => {
  const events = document.body.dataset.events;
  const said = document.getElementById('said');
  if (!events || !said || !window.EventSource) return;
  const rows = (root) => new Set([...root.querySelectorAll('#list li')].map((row) => row.id));
  let known = rows(document);
  let timer;

  function replaceList(list, fresh, page) {
    const focused = list.contains(document.activeElement) ? document.activeElement.id : undefined;
    const now = rows(page);
    const come = [...now].filter((row) => !known.has(row)).length;
    const gone = [...known].filter((row) => !now.has(row)).length;
    known = now;
    list.replaceWith(document.adoptNode(fresh));
    if (focused) (document.getElementById(focused) ?? document.querySelector('main')).focus({ preventScroll: true });
    document.title = page.title;
    if (come || gone) said.textContent = come ? `${come} new` : `${gone} answered or ended`;
  }

  async function look() {
    timer = undefined;
    const response = await fetch(location.href, { cache: 'no-store' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const [list, fresh] = [document.getElementById('list'), page.getElementById('list')];
    if (response.status === 401) {
      said.textContent = 'You are signed out. Reload the page to sign in.';
      source.close();
    } else if (list && fresh) {
      replaceList(list, fresh, page);
    } else if (!list && (response.status === 410 || response.status === 404)) {
      said.textContent = [...page.querySelectorAll('main h1, main h1 + p')].map((part) => part.innerText ?? part.textContent).join(': ');
      source.close();
    }
  }

  const source = new EventSource(events);
  // Many pages hear of it at once, and need not all ask in the same moment.
  source.onmessage = () => { timer ??= setTimeout(() => look().catch(() => {}), Math.random() * 300); };
  addEventListener('pagehide', () => source.close());
})();
