// Shares a report with its rules: as the fragment of a link, which browsers never send to a server,
// or as a file.

/** Maximum length of a link. Many programs cut or refuse longer ones. */
export const MAX_LINK = 32_000;

/** Maximum unpacked size, in bytes. No link that this page creates is larger. */
const MAX_UNPACKED = 64 << 20;

/** Paths of home directories. Only Windows allows spaces in user names. */
const HOME = /(\/(?:home|Users)\/)[^\\/\s:"']+|([A-Za-z]:[\\/]Users[\\/])[^\\/:"'\n]+/g;
const ADDRESS = /\b0x[0-9a-fA-F]{5,16}\b/g;

const redactText = (text) =>
  text.replace(HOME, (_, unix, windows) => `${unix ?? windows}someone`).replace(ADDRESS, '0x0');

/** Fields that identify a machine or a run and don't affect the verdict. */
const PRIVATE = new Set(['pid', 'parent', 'address']);

/**
 * Removes addresses, pids and user names in paths from a JSON report or rules. Module offsets stay:
 * they are equal on every machine and distinguish findings without function names.
 */
function redact(value) {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (value === null || typeof value !== 'object') return value;
  const redactField = (name, inner) => {
    if (PRIVATE.has(name)) return null;
    return name === 'offset' ? inner : redact(inner);
  };
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, inner]) => [redactText(name), redactField(name, inner)]),
  );
}

/** Returns the text of a file with a JSON report and its rules. */
export function serialize(document, rules) {
  return JSON.stringify({
    schema: 'leakgate-link',
    version: 1,
    document: redact(JSON.parse(document)),
    rules: redact(rules),
  });
}

/** Packs the text of a file into a link's fragment, without `#`. */
export async function packFragment(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return `r=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** Unpacks a link's fragment, or returns null if it holds no report. The input is untrusted. */
export async function unpackFragment(fragment) {
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
    if (size > MAX_UNPACKED) throw new Error('cannot open the link: its content is too large');
    chunks.push(value);
  }
  return parse(await new Blob(chunks).text());
}

/** Parses the text of a file with a JSON report and its rules. */
export function parse(text) {
  const { version, document, rules } = JSON.parse(text);
  if (version !== 1) throw new Error('this report was created by a newer version of this page');
  return { document: JSON.stringify(document), rules };
}
