// Keeps pages of the inbox up to date while they are open. Without it a reload does. Nothing that is typed is touched.
(() => {
  const events = document.body.dataset.events;
  const said = document.getElementById('said');
  if (!events || !said || !window.EventSource) return;
  const rows = (root) => new Set([...root.querySelectorAll('#list li')].map((row) => row.id));
  let known = rows(document);
  let [isLooking, isWanted] = [false, false];

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
    const response = await fetch(`${location.pathname}?live`, { cache: 'no-store' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const [list, fresh] = [document.getElementById('list'), page.getElementById('list')];
    if (response.status === 401) said.textContent = 'You are signed out. Reload the page to sign in.';
    else if (list && fresh) replaceList(list, fresh, page);
    else if (!list && (response.status === 410 || response.status === 404)) {
      said.textContent = [...page.querySelectorAll('main h1, main h1 + p')].map((part) => part.textContent).join(': ');
    }
  }

  // One look at a time, and one more where something came meanwhile. Many pages hear at once: they need not all ask at once.
  async function keepUp() {
    isWanted = true;
    if (isLooking) return;
    for (isLooking = true; isWanted; await look().catch(() => {})) {
      await new Promise((done) => setTimeout(done, Math.random() * 300));
      isWanted = false;
    }
    isLooking = false;
  }

  const source = new EventSource(events);
  source.onmessage = keepUp;
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) keepUp(said.textContent = 'Reload the page to see what is new.');
  };
})();
