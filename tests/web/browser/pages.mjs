// Looks at the pages of a server in Chromium, and says in JSON what it saw: an object of named findings. What is given:
// the folder of node_modules, then JSON with the server's address, its links, and perhaps a folder for pictures.
import { createRequire } from 'node:module';

const [modules, given] = process.argv.slice(2);
const { site, links, pictures } = JSON.parse(given);
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = require('fs').readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const seen = {};
const requested = new Set();
const at = (link) => `${site}${link}`;

async function opened(link, options = {}) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options });
  context.setDefaultTimeout(15000);
  const page = await context.newPage();
  page.on('request', (request) => requested.add(new URL(request.url()).origin));
  page.on('dialog', (dialog) => { seen.dialog = dialog.message(); dialog.dismiss(); });
  if (link) await page.goto(at(link));
  return page;
}

async function looked(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document));
  const bad = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
  seen.axe = (seen.axe ?? []).concat(bad.map((one) => `${name}: ${one.id} ${one.nodes.map((node) => node.html)}`));
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 360) seen.wide = (seen.wide ?? []).concat(`${name}: ${width}`);
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

async function fill(page) {
  await page.getByLabel('Name').fill('Zoë "Z"');
  await page.getByLabel('Story').fill('one\ntwo');
  await page.getByLabel('Age').fill('42');
  await page.getByLabel('Share').fill('0.5');
  await page.getByRole('radiogroup', { name: 'Sure' }).getByLabel('Yes').check();
  await page.getByRole('radiogroup', { name: 'Size' }).getByLabel('Large').check();
  await page.getByLabel('City').selectOption({ label: 'City 7' });
  await page.getByRole('group', { name: 'Extras' }).getByLabel('Olives').check();
  await page.getByRole('group', { name: 'Extras' }).getByLabel('Capers').check();
  await page.getByLabel('Day').fill('2026-12-24');
  await page.getByLabel('Moment').fill('2026-12-24T18:00:00Z');
  await page.getByLabel('Mail').fill('zoe@example.com');
  await page.getByLabel('Address').fill('https://example.com/a?b=c&d');
}

// Each kind of field, without JavaScript. What has a default is left as it is.
{
  const page = await opened(links.kinds, { javaScriptEnabled: false });
  await fill(page);
  await page.getByRole('button', { name: 'Send' }).click();
  seen.kinds = await page.getByRole('heading', { level: 1 }).innerText();
  await page.reload();
  seen.reloaded = await page.getByRole('heading', { level: 1 }).innerText();
}

// What is wrong is said where it is, and Enter sends what was mended.
{
  const page = await opened(links.errors);
  await looked(page, 'open');
  await page.emulateMedia({ colorScheme: 'dark' });
  await looked(page, 'open-dark');
  await page.getByLabel('Age').fill('many');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('alert').waitFor();
  await looked(page, 'wrong-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await looked(page, 'wrong');
  seen.title = await page.title();
  seen.focused = await page.evaluate(() => document.activeElement.id);
  const age = page.getByLabel('Age');
  seen.kept = await age.inputValue();
  seen.invalid = await age.getAttribute('aria-invalid');
  const described = await age.getAttribute('aria-describedby');
  seen.said = await page.locator(`#${described.split(' ')[0]}`).innerText();
  await page.getByRole('link', { name: 'Age' }).press('Enter');
  seen.linked = new URL(page.url()).hash;
  await fill(page);
  await page.getByLabel('Name').press('Enter');
  seen.mended = await page.getByRole('heading', { level: 1 }).innerText();
  await looked(page, 'answered');
}

// Two look, both answer.
{
  const [one, two] = [await opened(links.twice), await opened(links.twice)];
  await one.getByRole('button', { name: 'Decline' }).click();
  await one.getByText('decline by').waitFor();
  await two.getByRole('button', { name: 'Dismiss' }).click();
  seen.second = await two.getByText('decline by').innerText();
}

// With keys alone: from the top to the button.
{
  const page = await opened(links.keys);
  const stops = [];
  for (let step = 0; step < 12 && stops.at(-1) !== 'Dismiss'; step++) {
    await page.keyboard.press('Tab');
    stops.push(await page.evaluate(() => document.activeElement.innerText || document.activeElement.name));
  }
  seen.stops = stops;
  await page.keyboard.press('Enter');
  seen.dismissed = await page.getByText('cancel by').innerText();
}

// A page to visit opens by a click alone, and knows nothing of where it was opened.
{
  const page = await opened(links.visit);
  await looked(page, 'visit');
  const before = page.context().pages().length;
  const popup = page.context().waitForEvent('page');
  await page.getByRole('link').click();
  const other = await popup;
  await other.waitForLoadState();
  seen.visit = { before, opener: await other.evaluate(() => window.opener), referrer: await other.evaluate(() => document.referrer), path: new URL(other.url()).pathname };
  await page.getByRole('button', { name: 'Accept' }).click();
  seen.visited = await page.getByText('accept by').innerText();
}

// Text that wants to be markup.
{
  const page = await opened(links.hostile);
  await looked(page, 'hostile');
  seen.hostile = await page.evaluate(() => ({ scripts: document.scripts.length, images: document.images.length, title: document.title }));
  seen.message = await page.locator('.message').innerText();
}
await looked(await opened(`/q/${'A'.repeat(43)}`), 'unknown');

seen.origins = [...requested];
await browser.close();
console.log(JSON.stringify(seen));
