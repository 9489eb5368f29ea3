// The pane of rules: leakgate.toml and suppression files as text, a baseline beside them, and what is wrong with any of them.

import { PAUSE, byId } from './element.js';
import { later, make } from './report/report.js';

const CONFIG = 'leakgate.toml';

const [box, numbers, tabs, wrong] = ['rules', 'numbers', 'tabs', 'mistakes'].map(byId);

/** The texts by name; the first is the configuration. */
const texts = new Map([[CONFIG, '']]);
let open = CONFIG;
let baseline = null;
let all = [];
let changed = () => {};

/** Calls `call` whenever a rule has changed. */
export function onChange(call) {
  changed = call;
  const soon = later(changed, PAUSE);
  box.addEventListener('input', () => {
    texts.set(open, box.value);
    number();
    soon();
  });
  box.addEventListener('scroll', () => { numbers.scrollTop = box.scrollTop; });
  byId('new-rules').addEventListener('click', () => {
    show(unused('suppressions.supp'));
    box.focus();
  });
  for (const id of ['silence', 'pack']) byId(id).addEventListener('change', () => changed());
  show(open);
}

export function offerPacks(names) {
  byId('pack').append(...names.map((name) => make('option', { value: name }, name)));
}

function unused(name) {
  for (let n = 2; texts.has(name); n += 1) name = `suppressions-${n}.supp`;
  texts.set(name, '');
  return name;
}

/** Takes a file into the pane. */
export async function take({ name, blob }, kind) {
  const text = await blob.text();
  if (kind === 'baseline') {
    baseline = { name, text };
    show(open);
    return;
  }
  const at = kind === 'config' ? CONFIG : name;
  texts.set(at, text);
  show(at);
}

/** The options of a judgement. */
export function options() {
  const suppressions = [...texts].filter(([name, text]) => name !== CONFIG && text.trim()).map(([name, text]) => ({ name, text }));
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

/** All that somebody else needs for the same verdict. */
export const kept = () => ({ texts: Object.fromEntries(texts), pack: byId('pack').value, silence: byId('silence').checked, baseline });

/** Takes what `kept` gave, or what somebody says that it did. */
export function restore(from) {
  const text = (value) => (typeof value === 'string' ? value : '');
  texts.clear();
  texts.set(CONFIG, '');
  for (const [name, value] of Object.entries(from?.texts ?? {})) texts.set(name, text(value));
  byId('pack').value = text(from?.pack);
  byId('silence').checked = from?.silence === true;
  baseline = from?.baseline ? { name: text(from.baseline.name), text: text(from.baseline.text) } : null;
  show(CONFIG);
}

/** Puts a rule behind those that are there, and shows it. */
export function add(rule) {
  const before = texts.get(CONFIG).trimEnd();
  const text = `${before}${before ? '\n\n' : ''}${rule.trimEnd()}\n`;
  texts.set(CONFIG, text);
  show(CONFIG);
  box.scrollTop = box.scrollHeight;
  changed();
}

/** Shows a text for editing. */
function show(name) {
  open = name;
  box.value = texts.get(name);
  const tab = (each) => make('button', { type: 'button', 'aria-pressed': String(each === open), onclick: () => show(each) }, each);
  const out = (each, away) => make('button', { type: 'button', className: 'out', 'aria-label': `Take out ${each}`, onclick: away }, '×');
  const away = (each) => () => {
    texts.delete(each);
    show(CONFIG);
    changed();
  };
  tabs.replaceChildren(...[...texts.keys()].map((each) => make('span', {}, tab(each), each === CONFIG ? '' : out(each, away(each)))));
  if (baseline) {
    tabs.append(make('span', { className: 'baseline' }, `baseline ${baseline.name}`, out(baseline.name, () => {
      baseline = null;
      show(open);
      changed();
    })));
  }
  box.setAttribute('aria-label', open);
  number();
}

function number() {
  const bad = new Set(all.filter(({ file }) => file === open).map(({ line }) => line));
  const count = box.value.split('\n').length;
  box.setAttribute('aria-invalid', String(bad.size > 0));
  numbers.replaceChildren(...Array.from({ length: count }, (_, at) =>
    make('span', { className: bad.has(at + 1) ? 'bad' : '' }, `${at + 1}\n`)));
  numbers.scrollTop = box.scrollTop;
}

/** Tells mistakes; each leads to its line. */
export function mistakes(found) {
  all = found;
  number();
  wrong.replaceChildren(...found.map((mistake) => {
    const place = mistake.line ? `${mistake.file}:${mistake.line}` : mistake.file;
    const name = texts.has(mistake.file) && mistake.line
      ? make('button', { type: 'button', className: 'at', onclick: () => select(mistake) }, place)
      : make('b', {}, place);
    const under = `${' '.repeat(Math.max(0, mistake.column - 1))}${'^'.repeat(Math.max(1, mistake.length))}`;
    const source = mistake.source && mistake.column ? make('pre', {}, `${mistake.source}\n${under}`) : '';
    return make('li', {}, name, ` ${mistake.message}`, mistake.help ? make('em', {}, ` (${mistake.help})`) : '', source);
  }));
}

function select({ file, line, column, length }) {
  show(file);
  const lines = box.value.split('\n');
  // Columns count characters, places in the box units of UTF-16.
  const units = (text, n) => [...text].slice(0, n).join('').length;
  const text = lines[line - 1] ?? '';
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const from = units(text, Math.max(0, column - 1));
  box.focus();
  box.setSelectionRange(start + from, start + units(text, Math.max(0, column - 1) + Math.max(1, length)));
  box.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(box).lineHeight));
}
