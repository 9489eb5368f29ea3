// The data of a page, and small helpers to make elements. Texts of a log become text and never markup.

/** The data of the report that is shown. */
export let report = null;

/** Shows other data from now on. */
export function use(data) {
  report = data;
}

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

export const plural = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

/** What is searched: everything that a person may know of a finding, in small letters, put together once. */
export function words(finding) {
  if (!finding.words) {
    const frames = finding.stacks.flatMap(([, list]) => list.map(frameOf)).flatMap((f) => [f.name, f.place]);
    const own = [finding.kind, finding.tool, finding.said, finding.fingerprint, finding.function, finding.place];
    finding.words = [...own, ...frames].join('\n').toLowerCase();
  }
  return finding.words;
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
