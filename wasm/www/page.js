// The page: logs on one side, rules on the other, and the result below.

import { InputErrors, WorkerCrash, request, start } from './calls.js';
import * as editor from './editor.js';
import { INPUT_DELAY, byId, visible } from './element.js';
import { formatSize, fromDrop, fromList, kindOf } from './files.js';
import { actions, copy, debounce, make } from './report/report.js';
import * as result from './result.js';
import { SAMPLES } from './samples.js';
import * as sharing from './share.js';

const DOWNLOADS = [
  { label: 'JSON', format: 'json', extension: 'json', type: 'application/json' },
  { label: 'SARIF', format: 'sarif', extension: 'sarif', type: 'application/sarif+json' },
  { label: 'HTML', format: 'html', extension: 'html', type: 'text/html' },
  { label: 'Markdown', format: 'markdown', extension: 'md', type: 'text/markdown' },
];

/** Longer pasted text becomes a file, because a text area would be slow with it. */
const MAX_TYPED = 200_000;
const PASTED = 'pasted';

/** The inputs: logs, or JSON reports of earlier runs. */
let logs = [];
let runs = [];
/** The JSON report of the run to compare with. */
let base = null;
/** Messages about inputs that could not be read. */
let failed = [];
let isRead = false;
/** Number of the latest read. A later read or removal makes earlier ones obsolete. */
let turn = 0;

const showFailure = (message) => result.showError('Something went wrong', message);

/** Wraps an action to show its errors. The default `onError` replaces the verdict. */
const guarded =
  (action, onError = showFailure) =>
  async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      if (error instanceof InputErrors) {
        result.showError(
          'Invalid rules',
          'Fix the errors listed below the rules to see a verdict.',
        );
        editor.showErrors(error.list);
      } else if (error instanceof WorkerCrash) {
        isRead = false;
        showFailure(error.message);
      } else onError(error.message);
    }
  };

const shareStatus = byId('share-status');
const setShareStatus = (text) => {
  shareStatus.textContent = text;
};

const options = () => ({ ...editor.options(), ...(base && { base: base.text }) });

/** Returns the `[[format]]` tables of the configuration, on which reading depends. */
const customFormats = () =>
  (editor.config() ?? '')
    .split(/^(?=\s*\[)/m)
    .filter((table) => /^\s*\[\[\s*format/.test(table))
    .join('');
/** The custom formats of the latest read. */
let readFormats = '';

const judge = guarded(async () => {
  if (!isRead) return;
  if (customFormats() !== readFormats && logs.length) {
    read();
    return;
  }
  const judged = await request('judge', { options: options() });
  editor.showErrors([]);
  await result.show(
    judged,
    failed,
    runs.some(({ isShared }) => isShared),
  );
});

async function openRuns() {
  const read = async ({ name, blob }) => ({ name, text: await blob.text() });
  await request('open', { documents: await Promise.all(runs.map(read)) });
  return { failed: logs.map(({ name }) => `${name}: cannot mix logs and JSON reports`) };
}

function readLogs(ownTurn) {
  const bar = byId('progress');
  bar.hidden = false;
  return request('read', { files: logs, options: options() }, ({ part, panes }) => {
    if (ownTurn !== turn) return;
    bar.value = part;
    result.showProgress(panes, part);
  });
}

const read = guarded(async () => {
  turn += 1;
  const ownTurn = turn;
  result.clear();
  isRead = false;
  readFormats = customFormats();
  setShareStatus('');
  listInputs();
  const outcome = await (runs.length ? openRuns() : readLogs(ownTurn));
  if (!outcome || ownTurn !== turn) return;
  byId('progress').hidden = true;
  failed = outcome.failed;
  isRead = true;
  await judge();
  result.reveal();
});

function readOrReset() {
  if (logs.length + runs.length) read();
  else reset();
}

function remove(file) {
  logs = logs.filter((each) => each !== file);
  runs = runs.filter((each) => each !== file);
  if (file.name === PASTED) byId('paste').value = '';
  readOrReset();
}

function inputItem(file) {
  const name = visible(file.name);
  const label = `Remove ${name}`;
  const onclick = () => remove(file);
  return make(
    'li',
    {},
    `${name}, ${formatSize(file.blob.size)} `,
    make('button', { type: 'button', className: 'remove', 'aria-label': label, onclick }, '×'),
  );
}

function listInputs() {
  byId('clear').hidden = logs.length + runs.length === 0;
  byId('inputs').replaceChildren(...[...logs, ...runs].map(inputItem));
}

/** Removes all inputs. */
function reset() {
  turn += 1;
  logs = [];
  runs = [];
  failed = [];
  isRead = false;
  byId('paste').value = '';
  result.clear();
  byId('progress').hidden = true;
  listInputs();
  byId('paste').focus();
}

/** Adds files of any kind. They replace a sample. */
const addFiles = guarded(async (files) => {
  if (!files.length) return;
  logs = logs.filter((file) => !file.isSample);
  if (!logs.some(({ name }) => name === PASTED)) byId('paste').value = '';
  let hasInput = false;
  for (const file of files) {
    const kind = await kindOf(file);
    if (kind === 'link') {
      await openShared(sharing.parse(await file.blob.text()), file.name);
      return;
    }
    if (kind === 'log' || kind === 'run') {
      (kind === 'run' ? runs : logs).push(file);
      hasInput = true;
    } else await editor.addFile(file, kind);
  }
  await (hasInput ? read() : judge());
});

/** Compares with files: a JSON report or logs. Without files, stops comparing. */
const compareWith = guarded(async (files) => {
  if (files.length) {
    const isRun = (await kindOf(files[0])) === 'run';
    const text = isRun
      ? await files[0].blob.text()
      : await request('base', { files, options: options() });
    base = { text, name: files.map(({ name }) => name).join(', ') };
  } else base = null;
  byId('base').textContent = base ? `Compared with ${visible(base.name)}.` : '';
  byId('clear-base').hidden = !base;
  await judge();
});

/** Opens a shared report with its rules. */
async function openShared({ document: text, rules }, name) {
  logs = [];
  runs = [{ name, blob: new Blob([text]), isShared: true }];
  editor.restore(rules);
  await read();
}

/** Creates a link, or a file if the link would be too long. */
const share = guarded(async () => {
  const text = sharing.serialize(await request('document', { format: 'json' }), editor.state());
  const address = `${location.href.split('#')[0]}#${await sharing.packFragment(text)}`;
  if (address.length > sharing.MAX_LINK) {
    result.save('leakgate-report.json', 'application/json', text);
    setShareStatus(
      `The link would be too long (${formatSize(address.length)}). ` +
        `Share the file leakgate-report.json (${formatSize(text.length)}) instead; ` +
        'this page opens it.',
    );
    return;
  }
  const link = make('a', { href: address }, 'Link');
  const note = ' with the report and the rules, without addresses, pids and user names. ';
  shareStatus.replaceChildren(link, ` (${formatSize(address.length)})${note}`);
  await copy(address, link, (message) => shareStatus.append(message));
}, setShareStatus);

/** Adds the rule that accepts a finding. */
actions.accept = guarded(
  async ({ fingerprint }) => {
    const added = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
    editor.addRule(await request('entry', { fingerprint, wording: { added } }));
    byId('result').focus();
  },
  (message) => result.addNote(`Cannot add a rule: ${message}`),
);

actions.lines = ([input, line]) => request('lines', { input, line });

/** Connects a button to a hidden file input. */
function connectPicker(button, input, onFiles) {
  byId(button).addEventListener('click', () => byId(input).click());
  byId(input).addEventListener('change', () => {
    onFiles(fromList(byId(input).files));
    byId(input).value = '';
  });
}

function connectButtons() {
  connectPicker('pick', 'files', addFiles);
  connectPicker('pick-folder', 'folder', addFiles);
  connectPicker('pick-rules', 'rules-files', addFiles);
  connectPicker('pick-base', 'base-files', compareWith);
  byId('clear-base').addEventListener('click', () => compareWith([]));
  byId('clear').addEventListener('click', reset);
  byId('share').addEventListener('click', share);
}

function addDownloads() {
  const button = (label, onclick) => make('button', { type: 'button', onclick }, label);
  for (const { label, format, extension, type } of DOWNLOADS) {
    byId('downloads').append(
      button(
        label,
        guarded(async () => {
          result.save(`leakgate.${extension}`, type, await request('document', { format }));
        }, setShareStatus),
      ),
    );
  }
  const saveRules = () => result.save('leakgate.toml', 'application/toml', editor.config());
  byId('downloads').append(button('Rules', saveRules));
}

/** Makes text a log, in place of earlier pasted text. */
function setPasted(text) {
  logs = logs.filter((file) => file.name !== PASTED && !file.isSample);
  if (text.trim()) logs.unshift({ name: PASTED, blob: new Blob([text]) });
  readOrReset();
}

/** Accepts pasted files and text anywhere, and keeps long text out of the text area. */
function connectPaste() {
  const box = byId('paste');
  box.addEventListener(
    'input',
    debounce(() => setPasted(box.value), INPUT_DELAY),
  );
  addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text/plain');
    const field = event.target.closest?.('textarea, input');
    const isLong = text.length > MAX_TYPED;
    if (event.clipboardData.files.length) {
      event.preventDefault();
      addFiles(fromList(event.clipboardData.files));
    } else if (text && (!field || (field === box && isLong))) {
      event.preventDefault();
      box.value = isLong ? '' : text;
      setPasted(text);
    }
  });
}

/** Accepts dropped files anywhere, and keeps the browser from opening them. */
function connectDrop() {
  // Dragged text keeps its default behavior.
  const hasFiles = (event) => event.dataTransfer.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add('over');
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) document.body.classList.remove('over');
  });
  addEventListener(
    'drop',
    guarded(async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      document.body.classList.remove('over');
      await addFiles(await fromDrop(event.dataTransfer));
    }),
  );
}

function addSamples() {
  const open = ({ name, text, rules }) => {
    byId('paste').value = text;
    logs = [{ name, blob: new Blob([text]), isSample: true }];
    runs = [];
    if (rules) editor.restore({ texts: { 'leakgate.toml': rules } });
    read();
  };
  byId('samples').append(
    ...SAMPLES.map((sample) =>
      make('button', { type: 'button', onclick: () => open(sample) }, sample.title),
    ),
  );
}

const initialize = guarded(async () => {
  start();
  connectButtons();
  addDownloads();
  connectPaste();
  connectDrop();
  addSamples();
  editor.onChange(judge);
  const { version, packs } = await request('about');
  byId('version').textContent = version;
  editor.listPacks(packs);
  const openLink = guarded(async () => {
    const shared = await sharing.unpackFragment(location.hash);
    if (shared) await openShared(shared, 'shared report');
  });
  addEventListener('hashchange', openLink);
  await openLink();
  document.documentElement.dataset.ready = '';
});
await initialize();
// The files for offline use, such as the full module, come after those that the page starts with.
if (navigator.serviceWorker && location.protocol.startsWith('http')) {
  navigator.serviceWorker.register('offline.js').catch(() => {});
}
