// What came of it: the verdict, the findings, and what can be kept.

import { byId } from './element.js';
import { make, plural, use } from './report/report.js';
import { fresh, view } from './report/view.js';

/** Filters, order and open rows, from one judgement to the next. */
let kept = fresh();

const verdict = (outcome, title, markup) => {
  byId('result').hidden = false;
  byId('verdict').className = `verdict ${outcome}`;
  byId('result-title').textContent = title;
  byId('why').innerHTML = markup;
};

/** The next task: what is to be done between is done. */
const soon = () => new Promise((done) => { setTimeout(done); });

async function findings(data) {
  const report = JSON.parse(data);
  await soon();
  use(report);
  byId('findings').replaceChildren(...view(kept));
}

/** Nothing that could be taken for a judgement. */
function blank(outcome, title) {
  verdict(outcome, title, '');
  byId('exports').hidden = true;
  for (const id of ['findings', 'lists']) byId(id).replaceChildren();
}

/** No logs, or other logs: what was chosen for the last is forgotten. */
export function clear() {
  kept = fresh();
  blank('reading', '');
  byId('result').hidden = true;
}

/** What was read so far, where there is something to show. Whether it passes is known at the end. */
export async function soFar(view, part) {
  verdict('reading', `Reading, ${Math.floor(part * 100)} % …`, '');
  if (view) await findings(view.data);
}

/** A judgement. Its markup is leakgate's own, every text of a log in it escaped. */
export async function show({ outcome, title, verdict: markup, lists, data, notGiven }, failed, isSent) {
  if (failed.length) {
    verdict('error', 'error: not everything could be read', markup);
    byId('why').prepend(make('ul', { className: 'reasons' }, failed.map((what) => make('li', {}, what))));
  } else verdict(outcome, title.replace(/^leakgate: /, ''), markup);
  if (notGiven.length) {
    const names = notGiven.join(', ');
    remark(`leakgate.toml names ${plural(notGiven.length, 'file', 'files')} that the page does not have; drop here what is meant: ${names}`);
  }
  if (isSent) remark('Somebody sent this: it proves no more than a message from them.');
  byId('exports').hidden = false;
  byId('lists').innerHTML = lists;
  await findings(data);
}

/** Says something beside the verdict. */
export function remark(text) {
  byId('why').append(make('p', {}, text));
}

/** Brings the verdict into sight where it lies below; who types is not disturbed. */
export function reveal() {
  const isTyping = document.activeElement?.matches('textarea');
  if (!isTyping && byId('verdict').getBoundingClientRect().bottom > innerHeight) byId('result').scrollIntoView();
}

/** Something did not work. */
export function trouble(title, text) {
  blank('error', title);
  remark(text);
}

/** Hands a text to the browser as a file. */
export function save(name, type, text) {
  const link = make('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
