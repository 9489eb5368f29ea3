// The data of a page, and small helpers to make elements. Texts of a log become text and never markup.

/** The data of the report that is shown. */
export let report = null;

/** Shows other data from now on. */
export function use(data) {
  report = data;
}

/** What a page can do beside showing. That of a report can do nothing; one that has the logs at hand fills this. */
export const actions = {
  /** Accepts a finding. */
  accept: null,
  /** The number of a first line and the lines from it, around a place of a log. */
  lines: null,
};

export const STATES = {
  unexpected: 'unexpected',
  baseline: 'known',
  allowed: 'allowed',
  'not-gated': 'not gated',
};

export const number = new Intl.NumberFormat('en');

export const frameOf = (at) => {
  const [name, place, kind] = report.frames[at];
  return { name: report.texts[name], place: report.texts[place], kind };
};

/** An element with properties and children; what is missing is left out. */
export function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith('aria')) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ''));
  return element;
}

/** Calls for the last that was asked for, once nobody has asked anew for so long. */
export function later(call, pause = 0) {
  let waiting = 0;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(call, pause, ...given);
  };
}

export const plural = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

/**
 * What tells whether a finding holds a text, in everything that a person may know of it. The frames of thousands of findings share their
 * texts, so each text is looked at once and not once a finding.
 */
export function search(wanted) {
  if (!wanted) return () => true;
  report.small ??= report.texts.map((text) => text.toLowerCase());
  const holds = report.small.map((text) => text.includes(wanted));
  const frames = report.frames.map(([name, place]) => holds[name] || holds[place]);
  return (finding) => {
    finding.words ??= [finding.kind, finding.tool, finding.said, finding.fingerprint, finding.function, finding.place].join('\n').toLowerCase();
    return finding.words.includes(wanted) || finding.stacks.some(([, list]) => list.some((at) => frames[at]));
  };
}

/** Puts a text on the clipboard; where the browser does not let a page, selects it for the person to copy. */
export async function copy(text, source, say) {
  try {
    await navigator.clipboard.writeText(text);
    say('copied');
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    say(document.execCommand('copy') ? 'copied' : 'selected, copy it');
  }
}
