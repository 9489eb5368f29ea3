// The result: the verdict and the findings.

import { byId, visible } from './element.js';
import { make, plural, use } from './report/report.js';
import { defaultSettings, view } from './report/view.js';

/** Filters, sort order and expanded rows, which outlive a verdict. */
let settings = defaultSettings();

function setVerdict(outcome, title, markup) {
  byId('result').hidden = false;
  byId('verdict').className = `verdict ${outcome}`;
  byId('result-title').textContent = title;
  byId('reasons').innerHTML = markup;
}

/** Waits for the next task, which lets the browser handle events. */
const nextTask = () =>
  new Promise((resolve) => {
    setTimeout(resolve);
  });

async function showFindings(data) {
  const report = JSON.parse(data);
  await nextTask();
  use(report);
  byId('findings').replaceChildren(...view(settings));
}

/** Replaces the result with a title, leaving nothing that could be mistaken for a verdict. */
function setTitleOnly(outcome, title) {
  setVerdict(outcome, title, '');
  byId('exports').hidden = true;
  for (const id of ['findings', 'lists']) byId(id).replaceChildren();
}

/** Hides the result and resets the filters, for other logs or none. */
export function clear() {
  settings = defaultSettings();
  setTitleOnly('reading', '');
  byId('result').hidden = true;
}

/** Shows the findings so far, if there are any. The verdict is known at the end. */
export async function showProgress(panes, part) {
  setVerdict('reading', `Reading… ${Math.floor(part * 100)}%`, '');
  if (panes) await showFindings(panes.data);
}

/** Shows a verdict. leakgate writes the markup and escapes all log text in it. */
export async function show(judged, failed, isShared) {
  const { outcome, title, verdict: markup, lists, data, notGiven } = judged;
  if (failed.length) {
    setVerdict('error', 'error: some inputs could not be read', markup);
    const items = failed.map((message) => make('li', {}, visible(message)));
    byId('reasons').prepend(make('ul', { className: 'reasons' }, items));
  } else setVerdict(outcome, title.replace(/^leakgate: /, ''), markup);
  if (notGiven.length) {
    const files = plural(notGiven.length, 'missing file', 'missing files');
    addNote(`leakgate.toml refers to ${files}: ${notGiven.join(', ')}. Drop them on this page.`);
  }
  if (isShared) {
    addNote('This is a shared report. It shows what its author put in it and proves nothing.');
  }
  byId('exports').hidden = false;
  byId('lists').innerHTML = lists;
  await showFindings(data);
}

/** Adds a note below the verdict. */
export function addNote(text) {
  byId('reasons').append(make('p', {}, visible(text)));
}

/** Scrolls to the verdict if it is below the window, unless the user is typing. */
export function reveal() {
  const isTyping = document.activeElement?.matches('textarea');
  const isBelow = byId('verdict').getBoundingClientRect().bottom > innerHeight;
  if (!isTyping && isBelow) byId('result').scrollIntoView();
}

/** Replaces the result with an error. */
export function showError(title, text) {
  setTitleOnly('error', title);
  addNote(text);
}

/** Downloads a text as a file. */
export function save(name, type, text) {
  const link = make('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
