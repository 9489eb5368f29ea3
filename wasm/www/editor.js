// The rules pane: leakgate.toml and suppression files as editable text, a baseline, and the errors
// in all of them.

import { INPUT_DELAY, byId, visible } from './element.js';
import { debounce, make } from './report/report.js';

const CONFIG = 'leakgate.toml';

const [box, gutter, tabs, errorList] = ['rules', 'gutter', 'tabs', 'errors'].map(byId);

/** File texts by name. The first is the configuration. */
const texts = new Map([[CONFIG, '']]);
let current = CONFIG;
let baseline = null;
let errors = [];
let notify = () => {};

/** Sets a callback for changes of any rule, and connects the pane's controls. */
export function onChange(callback) {
  notify = callback;
  const notifySoon = debounce(notify, INPUT_DELAY);
  box.addEventListener('input', () => {
    texts.set(current, box.value);
    updateGutter();
    notifySoon();
  });
  box.addEventListener('scroll', () => {
    gutter.scrollTop = box.scrollTop;
  });
  byId('new-rules').addEventListener('click', () => {
    open(addEmpty('suppressions.supp'));
    box.focus();
  });
  for (const id of ['silence', 'pack']) byId(id).addEventListener('change', () => notify());
  open(current);
}

export function listPacks(names) {
  byId('pack').append(...names.map((name) => make('option', { value: name }, name)));
}

/** Adds an empty file, numbered if the name is taken, and returns its name. */
function addEmpty(name) {
  let unique = name;
  for (let n = 2; texts.has(unique); n += 1) unique = `suppressions-${n}.supp`;
  texts.set(unique, '');
  return unique;
}

/** Adds a file of a kind that `kindOf` detected. */
export async function addFile({ name, blob }, kind) {
  const text = await blob.text();
  if (kind === 'baseline') {
    baseline = { name, text };
    open(current);
    return;
  }
  const key = kind === 'config' ? CONFIG : name;
  texts.set(key, text);
  open(key);
}

/** Returns the options for `Report.judge`. */
export function options() {
  const suppressions = [...texts]
    .filter(([name, text]) => name !== CONFIG && text.trim())
    .map(([name, text]) => ({ name, text }));
  const pack = byId('pack').value;
  return {
    config: texts.get(CONFIG),
    suppressions,
    ...(baseline && { baseline: baseline.text }),
    ...(pack && { packs: [pack] }),
    ...(byId('silence').checked && { silence: 'pass' }),
  };
}

export const config = () => texts.get(CONFIG);

/** Returns everything that another user needs to reproduce the verdict. */
export const state = () => ({
  texts: Object.fromEntries(texts),
  pack: byId('pack').value,
  silence: byId('silence').checked,
  baseline,
});

/** Restores what `state` returned. The input is untrusted. */
export function restore(saved) {
  const text = (value) => (typeof value === 'string' ? value : '');
  texts.clear();
  texts.set(CONFIG, '');
  for (const [name, value] of Object.entries(saved?.texts ?? {})) texts.set(name, text(value));
  byId('pack').value = text(saved?.pack);
  byId('silence').checked = saved?.silence === true;
  baseline = saved?.baseline
    ? { name: text(saved.baseline.name), text: text(saved.baseline.text) }
    : null;
  open(CONFIG);
}

/** Appends a rule to the configuration and shows it. */
export function addRule(rule) {
  const before = texts.get(CONFIG).trimEnd();
  texts.set(CONFIG, `${before}${before ? '\n\n' : ''}${rule.trimEnd()}\n`);
  open(CONFIG);
  box.scrollTop = box.scrollHeight;
  notify();
}

function removeButton(name, remove) {
  const onclick = () => {
    remove();
    notify();
  };
  return make(
    'button',
    {
      type: 'button',
      className: 'remove',
      'aria-label': `Remove ${visible(name)}`,
      onclick,
    },
    '×',
  );
}

function tab(name) {
  const button = make(
    'button',
    {
      type: 'button',
      'aria-pressed': String(name === current),
      onclick: () => open(name),
    },
    visible(name),
  );
  if (name === CONFIG) return make('span', {}, button);
  const remove = () => {
    texts.delete(name);
    open(CONFIG);
  };
  return make('span', {}, button, removeButton(name, remove));
}

function baselineTab() {
  const remove = () => {
    baseline = null;
    open(current);
  };
  const { name } = baseline;
  return make(
    'span',
    { className: 'baseline' },
    `Baseline: ${visible(name)}`,
    removeButton(name, remove),
  );
}

/** Opens a file in the editor. */
function open(name) {
  current = name;
  box.value = texts.get(name);
  tabs.replaceChildren(...[...texts.keys()].map(tab));
  if (baseline) tabs.append(baselineTab());
  box.setAttribute('aria-label', visible(current));
  updateGutter();
}

/** Updates the line numbers and marks lines with errors. */
function updateGutter() {
  const wrongLines = new Set(errors.filter(({ file }) => file === current).map(({ line }) => line));
  const count = box.value.split('\n').length;
  box.setAttribute('aria-invalid', String(wrongLines.size > 0));
  const number = (_, index) => {
    const line = index + 1;
    return make('span', { className: wrongLines.has(line) ? 'bad' : '' }, `${line}\n`);
  };
  gutter.replaceChildren(...Array.from({ length: count }, number));
  gutter.scrollTop = box.scrollTop;
}

function errorItem(error) {
  const file = visible(error.file);
  const place = error.line ? `${file}:${error.line}` : file;
  const name =
    texts.has(error.file) && error.line
      ? make('button', { type: 'button', className: 'at', onclick: () => select(error) }, place)
      : make('b', {}, place);
  const help = error.help ? make('em', {}, ` (${error.help})`) : '';
  const indent = ' '.repeat(Math.max(0, error.column - 1));
  const marker = `${indent}${'^'.repeat(Math.max(1, error.length))}`;
  const source = error.source && error.column ? make('pre', {}, `${error.source}\n${marker}`) : '';
  return make('li', {}, name, ` ${error.message}`, help, source);
}

/** Lists errors, each with a link to its line. */
export function showErrors(list) {
  errors = list;
  updateGutter();
  errorList.replaceChildren(...errors.map(errorItem));
}

/** Selects the text of an error. */
function select({ file, line, column, length }) {
  open(file);
  const lines = box.value.split('\n');
  // Columns count characters, but selections count UTF-16 code units.
  const codeUnits = (text, n) => [...text].slice(0, n).join('').length;
  const text = lines[line - 1] ?? '';
  const lineStart = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const from = Math.max(0, column - 1);
  const to = from + Math.max(1, length);
  box.focus();
  box.setSelectionRange(lineStart + codeUnits(text, from), lineStart + codeUnits(text, to));
  box.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(box).lineHeight));
}
