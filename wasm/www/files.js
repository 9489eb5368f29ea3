// Files that the user drops, picks or pastes: each with its path, its bytes and its source, the
// folder in which it arrived.

/** Returns all dropped files, including those in folders. */
export async function fromDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return fromList(transfer.files);
  const source = (entry) => (entry.isDirectory ? entry.name : undefined);
  return (await Promise.all(entries.map((entry) => filesOf(entry, '', source(entry))))).flat();
}

async function filesOf(entry, folder, source) {
  const name = `${folder}${entry.name}`;
  if (entry.isFile) {
    const blob = await new Promise((resolve, reject) => {
      entry.file(resolve, reject);
    });
    return [{ name, blob, source }];
  }
  const reader = entry.createReader();
  const files = [];
  // A reader returns up to a hundred entries per call, and none at the end.
  for (;;) {
    const part = await new Promise((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (part.length === 0) return files.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const inner of part) files.push(...(await filesOf(inner, `${name}/`, source)));
  }
}

/** Returns the files of a `FileList`. */
export function fromList(list) {
  return [...list].map((file) => {
    const path = file.webkitRelativePath;
    const source = path ? path.split('/')[0] : undefined;
    return { name: path || file.name, blob: file, source };
  });
}

/** Detects the kind of a file by its name and its first bytes. The default is a log. */
export async function kindOf({ name, blob }) {
  const base = name.split('/').at(-1).toLowerCase();
  if (base.endsWith('.toml')) return 'config';
  if (base.endsWith('.supp') || /suppressions?(\.txt)?$/.test(base)) return 'suppressions';
  if (!base.endsWith('.json')) return 'log';
  const head = await blob.slice(0, 400).text();
  if (head.includes('leakgate-baseline/')) return 'baseline';
  if (head.includes('"leakgate-link"')) return 'link';
  return head.includes('"leakgate/v1"') ? 'run' : 'log';
}

/** Formats a number of bytes, such as `1.2 kB`. */
export const formatSize = (bytes) => {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
};
