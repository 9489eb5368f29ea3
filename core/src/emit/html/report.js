// The data of the page, and helpers that build elements. Log text is always inserted as text, never
// as markup.

/** The data of the current report. */
export let report = null;

/** Replaces the current report. */
export function use(data) {
  report = data;
}

/**
 * Actions that the hosting page provides. A standalone report provides none; a page that still has
 * the logs sets both.
 */
export const actions = {
  /** Accepts a finding. */
  accept: null,
  /** Returns the lines around a place in a log, preceded by the number of the first one. */
  lines: null,
};

/** Labels of the finding states, in the order in which they are sorted. */
export const STATES = {
  unexpected: 'unexpected',
  baseline: 'known',
  allowed: 'allowed',
  'not-gated': 'not gated',
};

export const number = new Intl.NumberFormat('en');

/** Returns the frame at an index of `report.frames`, with its texts resolved. */
export const frameAt = (index) => {
  const [name, place, kind] = report.frames[index];
  return { name: report.texts[name], place: report.texts[place], kind };
};

/** Returns true for frames that rarely explain a finding. */
export const isInternal = (frame) => ['allocator', 'runtime'].includes(frame.kind);

/** Creates an element with properties and children; empty ones are left out. */
export function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith('aria')) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  const isEmpty = (child) => child === undefined || child === null || child === '';
  element.append(...children.flat().filter((child) => !isEmpty(child)));
  return element;
}

/** Returns a debounced `call`: it runs once no further call was made for `delay` milliseconds. */
export function debounce(call, delay = 0) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(call, delay, ...args);
  };
}

export const plural = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

/**
 * Returns a predicate for findings that contain `query` in any of their texts. Thousands of
 * findings share the texts of their frames, so each text is searched once, not once per finding.
 */
export function search(query) {
  if (!query) return () => true;
  report.lowerTexts ??= report.texts.map((text) => text.toLowerCase());
  const textMatches = report.lowerTexts.map((text) => text.includes(query));
  const frameMatches = report.frames.map(
    ([name, place]) => textMatches[name] || textMatches[place],
  );
  return (finding) => {
    const { kind, tool, detail, fingerprint, place, tests = [] } = finding;
    finding.lowerText ??= [kind, tool, detail, fingerprint, finding.function, place, ...tests]
      .join('\n')
      .toLowerCase();
    return (
      finding.lowerText.includes(query) ||
      finding.stacks.some(([, frames]) => frames.some((index) => frameMatches[index]))
    );
  };
}

/**
 * Copies a text to the clipboard. If the browser refuses, selects `source`, which shows the text,
 * for the user to copy. Calls `notify` with the result.
 */
export async function copy(text, source, notify) {
  try {
    await navigator.clipboard.writeText(text);
    notify('Copied!');
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    notify(document.execCommand('copy') ? 'Copied!' : 'Selected. Press Ctrl+C or ⌘C to copy.');
  }
}
