// Uses the inbox of a server in Chromium, and says in JSON what it saw: an object of named findings. What is given: the folder
// of node_modules, then JSON with the server's address and perhaps a folder for pictures. It wishes for questions by a line
// {"ask": name} on stdout, and reads the id of the task on stdin.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, given] = process.argv.slice(2);
const { site, pictures } = JSON.parse(given);
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = require('fs').readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const seen = { tasks: {}, axe: [] };
const requested = new Set();

async function ask(name) {
  console.log(JSON.stringify({ ask: name }));
  seen.tasks[name] = JSON.parse((await replies.next()).value);
  return `${site}/inbox/${seen.tasks[name]}/q1`;
}

async function person(options = {}) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options });
  context.setDefaultTimeout(15000);
  return context;
}

async function opened(context, address) {
  const page = await context.newPage();
  page.on('request', (request) => requested.add(new URL(request.url()).origin));
  page.on('dialog', (dialog) => { seen.dialog = dialog.message(); dialog.dismiss(); });
  await page.goto(address);
  return page;
}

async function looked(page, name) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document));
    const bad = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
    seen.axe.push(...bad.map((one) => `${name} ${colorScheme}: ${one.id} ${one.nodes.map((node) => node.html)}`));
  }
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 360) seen.wide = (seen.wide ?? []).concat(`${name}: ${width}`);
}

async function signIn(page) {
  await page.getByLabel('Token').fill('annas-own-token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

const anna = await person();
await ask('hostile');
const release = await ask('release');
const visit = await ask('visit');
await ask('other');

// A wrong token, then the right one.
const list = await opened(anna, `${site}/inbox`);
await looked(list, 'sign-in');
await list.getByLabel('Token').fill('wrong');
await list.getByLabel('Token').press('Enter');
seen.wrong = await list.getByRole('alert').innerText();
await looked(list, 'not-signed-in');
await signIn(list);
const [cookie] = await anna.cookies(`${site}/inbox`);
const script = await list.evaluate(() => document.cookie);
seen.cookie = { httpOnly: cookie.httpOnly, sameSite: cookie.sameSite, path: cookie.path, script };
await looked(list, 'inbox');
const rows = (page) => page.locator('#list li').count();
seen.first = { title: await list.title(), rows: await rows(list), other: await list.getByText('For nobody else').count() };
seen.hostile = await list.evaluate(() => ({ scripts: document.querySelectorAll('script[src]').length, images: document.images.length }));

// A question arrives while somebody is about to open another one.
await list.locator(`#to-${seen.tasks.visit}-q1`).focus();
const began = Date.now();
const cuisine = await ask('cuisine');
await list.getByRole('link', { name: 'Which cuisine?' }).waitFor();
seen.arrival = { milliseconds: Date.now() - began };
const said = list.locator('#said');
await said.getByText('1 new').waitFor();
const focused = await list.evaluate(() => document.activeElement.id);
seen.arrived = { said: await said.innerText(), title: await list.title(), focus: focused === `to-${seen.tasks.visit}-q1` ? 'kept' : focused };

// Two are at the same question. The second is told while it types, and once more when it sends.
const [one, two] = [await opened(anna, cuisine), await opened(anna, cuisine)];
await two.getByLabel('Cuisine').pressSequentially('Ital');
await one.getByLabel('Cuisine').fill('Thai');
await one.getByRole('button', { name: 'Send' }).click();
await one.getByRole('heading', { name: 'This question is answered' }).waitFor();
await looked(one, 'answered');
await two.locator('#said').getByText('This question is answered').waitFor();
seen.told = { said: await two.locator('#said').innerText(), typed: await two.getByLabel('Cuisine').inputValue(), focus: await two.evaluate(() => document.activeElement.id) };
await two.getByLabel('Cuisine').press('Enter');
await two.getByText('accept by').first().waitFor();
seen.second = await two.getByRole('heading', { level: 1 }).innerText();
await said.getByText('answered or ended').waitFor();
seen.left = { said: await said.innerText(), title: await list.title() };
await Promise.all([one.close(), two.close()]);

// By keys alone: from the list to a question, and to one of its buttons.
await list.locator(`#to-${seen.tasks.visit}-q1`).focus();
await list.keyboard.press('Enter');
await list.getByText('sign.example.com').first().waitFor();
await looked(list, 'visit');
for (let step = 0; step < 20; step++) {
  await list.keyboard.press('Tab');
  if (await list.evaluate(() => document.activeElement.value === 'decline')) break;
}
await list.keyboard.press('Enter');
await list.getByRole('heading', { name: 'This question is answered' }).waitFor();
seen.declined = await list.getByText('decline by').count() > 0;

// An answer, after a mistake; then the task of another question is cancelled.
await list.goto(release);
await list.getByRole('button', { name: 'Send' }).click();
await list.getByRole('alert').waitFor();
await looked(list, 'wrong');
await list.getByLabel('Version').fill('2.1.0');
await list.getByLabel('Now').check();
await list.getByRole('button', { name: 'Send' }).click();
await list.getByRole('heading', { name: 'This question is answered' }).waitFor();
await list.getByRole('link', { name: 'Inbox' }).click();
await list.locator(`#to-${seen.tasks.hostile}-q1`).click();
await list.getByText('Cancel the whole task').click();
await looked(list, 'cancelling');
await list.getByRole('button', { name: 'Cancel the task' }).click();
await list.getByText('Its task has ended: cancelled').waitFor();

// All of it without JavaScript.
{
  await ask('without script');
  const page = await opened(await person({ javaScriptEnabled: false }), `${site}/inbox`);
  await signIn(page);
  await page.getByRole('link', { name: 'without script' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('heading', { name: 'This question is answered' }).waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByText('Nothing waits for an answer.').waitFor();
}

await list.getByRole('link', { name: 'Recent answers' }).click();
seen.recent = (await list.locator('.rows a').allInnerTexts()).map((words) => words.split(' ')[0]);
await looked(list, 'recent');

// Somebody who is signed in follows a link on another site.
{
  const page = await anna.newPage();
  const body = `<a href="${site}/inbox/answers">inbox</a>`;
  await page.route('http://chat.example/**', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto('http://chat.example/');
  await page.getByRole('link').click();
  await page.getByRole('heading', { name: 'Recent answers' }).waitFor();
  seen.led = new URL(page.url()).search;
  await page.close();
}

// Pictures, with room.
if (pictures) {
  const before = { ...seen.tasks };
  const desk = await person({ viewport: { width: 720, height: 440 } });
  for (const name of ['visit', 'Which of the two drafts shall be sent?', 'release']) await ask(name);
  const page = await opened(desk, `${site}/inbox`);
  await signIn(page);
  await page.screenshot({ path: `${pictures}/inbox-page.png` });
  await page.getByRole('link', { name: 'Release' }).click();
  await page.getByLabel('Version').fill('2.1.0');
  await page.getByLabel('Version').blur();
  await page.screenshot({ path: `${pictures}/question-page.png`, fullPage: true });
  seen.tasks = before;
}

// Who signs out is signed out on all pages of that sign-in.
await list.goto(`${site}/inbox`);
const other = await opened(anna, `${site}/inbox`);
await other.getByRole('button', { name: 'Sign out' }).click();
await other.getByRole('heading', { name: 'Sign in' }).waitFor();
await list.locator('#said').getByText('signed out').waitFor();
seen.out = await list.locator('#said').innerText();

seen.origins = [...requested];
await browser.close();
console.log(JSON.stringify(seen));
process.exit(0);
