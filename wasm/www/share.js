// A report and its rules as the part of an address behind `#`, which no browser sends, or as a file.

/** Longer addresses are cut or refused by what people paste them into. */
export const MOST = 32_000;

/** More than that is no link that this page made. */
const MOST_UNPACKED = 64 << 20;

/** Homes; only on Windows the names of people have spaces. */
const HOME = /(\/(?:home|Users)\/)[^\\/\s:"']+|([A-Za-z]:[\\/]Users[\\/])[^\\/:"'\n]+/g;
const ADDRESS = /\b0x[0-9a-fA-F]{5,16}\b/g;

const plain = (text) => text.replace(HOME, (_, unix, windows) => `${unix ?? windows}someone`).replace(ADDRESS, '0x0');

/** What tells of a machine or of a run, and decides nothing. */
const PRIVATE = new Set(['pid', 'parent', 'address']);

/**
 * A document, or rules, without addresses, numbers of processes, and names of people in paths. Offsets in modules are the same on every
 * machine, and tell findings without names apart.
 */
function redacted(value) {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (value === null || typeof value !== 'object') return value;
  const kept = (name, inner) => {
    if (PRIVATE.has(name)) return null;
    return name === 'offset' ? inner : redacted(inner);
  };
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [plain(name), kept(name, inner)]));
}

/** The text of a file that holds a report and its rules. */
export function file(document, rules) {
  return JSON.stringify({ schema: 'leakgate-link', version: 1, document: redacted(JSON.parse(document)), rules: redacted(rules) });
}

/** What stands behind `#` for such a file. */
export async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return `r=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** What somebody put behind `#`, or nothing. It is as hostile as a log. */
export async function unpacked(fragment) {
  const found = /^#r=([A-Za-z0-9_-]+)$/.exec(fragment);
  if (!found) return null;
  const binary = atob(found[1].replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const chunks = [];
  let size = 0;
  for (const reader = stream.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST_UNPACKED) throw new Error('what this link holds is too large');
    chunks.push(value);
  }
  return opened(await new Blob(chunks).text());
}

/** Reads the text of such a file. */
export function opened(text) {
  const { version, document, rules } = JSON.parse(text);
  if (version !== 1) throw new Error('this report was made by a later version of the page');
  return { document: JSON.stringify(document), rules };
}
