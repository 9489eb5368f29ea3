// The page: logs on one side, rules on the other, and below what comes of them.

import { BrokenOff, Mistakes, ask, start } from './calls.js';
import * as editor from './editor.js';
import { PAUSE, byId } from './element.js';
import { chosen, dropped, kindOf, size } from './files.js';
import { actions, copy, later, make } from './report/report.js';
import * as result from './result.js';
import { SAMPLES } from './samples.js';
import * as sharing from './share.js';

const KEEP = {
  json: ['json', 'application/json'],
  sarif: ['sarif', 'application/sarif+json'],
  html: ['html', 'text/html'],
  markdown: ['md', 'text/markdown'],
};

/** A longer text that is pasted is taken as a file, for a box of text would be slow with it. */
const MOST_TYPED = 200_000;
const TYPED = 'pasted';

/** What was put in: logs, or documents of runs. */
let logs = [];
let runs = [];
/** The document of an earlier run. */
let base = null;
/** What of the logs could not be read. */
let failed = [];
let isRead = false;
/** What began to be read later, or taken out, makes an earlier reading idle. */
let turn = 0;

/** Does something that may go wrong, and tells how; `tell` for what leaves the verdict as it is. */
const tried = (work, tell = (text) => result.trouble('This did not work', text)) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    if (error instanceof Mistakes) {
      result.trouble('The rules can’t be read', 'Nothing is judged until every mistake is mended; they are listed under the rules.');
      editor.mistakes(error.list);
    } else if (error instanceof BrokenOff) {
      isRead = false;
      result.trouble('This did not work', error.message);
    } else tell(error.message);
  }
};

const shared = byId('shared');
const told = (text) => { shared.textContent = text; };

const options = () => ({ ...editor.options(), ...(base && { base: base.text }) });

/** The formats of the project's own that a configuration holds; logs are read by them. */
const formats = () => (editor.config() ?? '').split(/^(?=\s*\[)/m).filter((table) => /^\s*\[\[\s*format/.test(table)).join('');
let readBy = '';

const judge = tried(async () => {
  if (!isRead) return;
  if (formats() !== readBy && logs.length) {
    read();
    return;
  }
  const shown = await ask('judge', { options: options() });
  editor.mistakes([]);
  await result.show(shown, failed, runs.some(({ isSent }) => isSent));
});

async function openRuns() {
  await ask('open', { documents: await Promise.all(runs.map(async ({ name, blob }) => ({ name, text: await blob.text() }))) });
  return { failed: logs.map(({ name }) => `${name}: logs and documents of runs can't be read together`) };
}

function readLogs(mine) {
  const bar = byId('progress');
  bar.hidden = false;
  return ask('read', { files: logs, options: options() }, ({ part, view }) => {
    if (mine !== turn) return;
    bar.value = part;
    result.soFar(view, part);
  });
}

const read = tried(async () => {
  turn += 1;
  const mine = turn;
  result.clear();
  isRead = false;
  readBy = formats();
  told('');
  list();
  const found = await (runs.length ? openRuns() : readLogs(mine));
  if (!found || mine !== turn) return;
  byId('progress').hidden = true;
  failed = found.failed;
  isRead = true;
  await judge();
  result.reveal();
});

/** Lists what was put in. */
function list() {
  byId('clear').hidden = logs.length + runs.length === 0;
  byId('inputs').replaceChildren(...[...logs, ...runs].map((file) => make('li', {}, `${file.name}, ${size(file.blob.size)} `,
    make('button', {
      type: 'button',
      className: 'out',
      'aria-label': `Take out ${file.name}`,
      onclick: () => {
        logs = logs.filter((each) => each !== file);
        runs = runs.filter((each) => each !== file);
        if (file.name === TYPED) byId('paste').value = '';
        if (logs.length + runs.length) read();
        else empty();
      },
    }, '×'))));
}

function empty() {
  turn += 1;
  [logs, runs, failed, isRead] = [[], [], [], false];
  byId('paste').value = '';
  result.clear();
  byId('progress').hidden = true;
  list();
  byId('paste').focus();
}

/** Takes files, each as what it is. A sample gives way to what somebody has of their own. */
const take = tried(async (files) => {
  if (!files.length) return;
  logs = logs.filter((file) => !file.isSample);
  if (!logs.some(({ name }) => name === TYPED)) byId('paste').value = '';
  let isLog = false;
  for (const file of files) {
    const kind = await kindOf(file);
    if (kind === 'link') {
      await receive(sharing.opened(await file.blob.text()), file.name);
      return;
    }
    if (kind === 'log' || kind === 'run') {
      (kind === 'run' ? runs : logs).push(file);
      isLog = true;
    } else await editor.take(file, kind);
  }
  await (isLog ? read() : judge());
});

const compare = tried(async (files) => {
  if (files.length) {
    const kinds = await Promise.all(files.map(kindOf));
    const text = kinds[0] === 'run' ? await files[0].blob.text() : await ask('base', { files, options: options() });
    base = { text, name: files.map(({ name }) => name).join(', ') };
  } else base = null;
  byId('base').textContent = base ? `Compared with ${base.name}.` : '';
  byId('clear-base').hidden = !base;
  await judge();
});

/** A report that somebody sent. */
async function receive({ document: text, rules }, name) {
  logs = [];
  runs = [{ name, blob: new Blob([text]), isSent: true }];
  editor.restore(rules);
  await read();
}

/** Makes a link, or, where it would be too long, a file. */
const share = tried(async () => {
  const text = sharing.file(await ask('document', { format: 'json' }), editor.kept());
  const address = `${location.href.split('#')[0]}#${await sharing.packed(text)}`;
  if (address.length > sharing.MOST) {
    result.save('leakgate-report.json', 'application/json', text);
    told(`A link would be ${size(address.length)} long, too much for most places; send the file leakgate-report.json (${size(text.length)}), which this page opens.`);
    return;
  }
  const link = make('a', { href: address }, 'the link');
  shared.replaceChildren(link, ` (${size(address.length)}): report and rules are in it, without addresses, pids and names of homes. `);
  await copy(address, link, (what) => shared.append(what));
}, told);

/** Adds the rule that accepts a finding. */
actions.accept = tried(async ({ fingerprint }) => {
  const added = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  editor.add(await ask('entry', { fingerprint, wording: { added } }));
  byId('result').focus();
}, (why) => result.remark(`No rule was added: ${why}`));

actions.lines = ([input, line]) => ask('lines', { input, line });

function pickers() {
  const choose = (button, input, done) => {
    byId(button).addEventListener('click', () => byId(input).click());
    byId(input).addEventListener('change', () => {
      done(chosen(byId(input).files));
      byId(input).value = '';
    });
  };
  choose('pick', 'files', take);
  choose('pick-folder', 'folder', take);
  choose('pick-rules', 'rules-files', take);
  choose('pick-base', 'base-files', compare);
  byId('clear-base').addEventListener('click', () => compare([]));
  byId('clear').addEventListener('click', empty);
}

function exports() {
  for (const [format, [end, type]] of Object.entries(KEEP)) {
    byId('keep').append(make('button', {
      type: 'button',
      onclick: tried(async () => result.save(`leakgate.${end}`, type, await ask('document', { format })), told),
    }, format === 'markdown' ? 'Markdown' : format.toUpperCase()));
  }
  byId('keep').append(make('button', { type: 'button', onclick: () => result.save('leakgate.toml', 'application/toml', editor.config()) }, 'rules'));
  byId('share').addEventListener('click', share);
}

/** What is typed or pasted into the box is one log. */
function typed(text) {
  logs = logs.filter((file) => file.name !== TYPED && !file.isSample);
  if (text.trim()) logs.unshift({ name: TYPED, blob: new Blob([text]) });
  if (logs.length + runs.length) read();
  else empty();
}

/** Files and text may be pasted anywhere, and a long text never lands in a box. */
function pasting() {
  byId('paste').addEventListener('input', later(() => typed(byId('paste').value), PAUSE));
  addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text/plain');
    const into = event.target.closest?.('textarea, input');
    if (event.clipboardData.files.length) {
      event.preventDefault();
      take(chosen(event.clipboardData.files));
    } else if (text && (!into || (into.id === 'paste' && text.length > MOST_TYPED))) {
      event.preventDefault();
      byId('paste').value = text.length > MOST_TYPED ? '' : text;
      typed(text);
    }
  });
}

/** Files may be dropped anywhere, and never take the place of the page. */
function dropping() {
  // A text that is dragged goes where it always goes.
  const hasFiles = (event) => event.dataTransfer.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add('over');
  });
  addEventListener('dragleave', (event) => event.relatedTarget || document.body.classList.remove('over'));
  addEventListener('drop', tried(async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.remove('over');
    await take(await dropped(event.dataTransfer));
  }));
}

function samples() {
  byId('samples').append(...SAMPLES.map(({ title, name, text, rules }) => make('button', {
    type: 'button',
    onclick: () => {
      byId('paste').value = text;
      [logs, runs] = [[{ name, blob: new Blob([text]), isSample: true }], []];
      if (rules) editor.restore({ texts: { 'leakgate.toml': rules } });
      read();
    },
  }, title)));
}

const begin = tried(async () => {
  start();
  pickers();
  exports();
  pasting();
  dropping();
  samples();
  editor.onChange(judge);
  const { version, packs } = await ask('about');
  byId('version').textContent = version;
  editor.offerPacks(packs);
  const open = tried(async () => {
    const sent = await sharing.unpacked(location.hash);
    if (sent) await receive(sent, 'a report that was sent');
  });
  addEventListener('hashchange', open);
  await open();
  document.documentElement.dataset.ready = '';
});
begin();
if (navigator.serviceWorker && location.protocol.startsWith('http')) navigator.serviceWorker.register('offline.js').catch(() => {});
