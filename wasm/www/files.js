// Files that somebody drops, picks or pastes: each with its path, its bytes, and the folder that it came with.

/** All files of what was dropped, those in folders too. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return chosen(transfer.files);
  return (await Promise.all(entries.map((entry) => below(entry, '', entry.isDirectory ? entry.name : undefined)))).flat();
}

async function below(entry, folder, source) {
  const name = `${folder}${entry.name}`;
  if (entry.isFile) {
    const blob = await new Promise((done, failed) => entry.file(done, failed));
    return [{ name, blob, source }];
  }
  const reader = entry.createReader();
  const files = [];
  // A reader gives a hundred entries at a time, and none when it is done.
  for (;;) {
    const part = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (part.length === 0) return files.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const inner of part) files.push(...await below(inner, `${name}/`, source));
  }
}

/** All files that were chosen. */
export function chosen(list) {
  return [...list].map((file) => {
    const path = file.webkitRelativePath;
    return { name: path || file.name, blob: file, source: path ? path.split('/')[0] : undefined };
  });
}

/** What a file is, by its name and its first bytes; what is nothing of this is a log. */
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

export const size = (bytes) => {
  const units = ['B', 'kB', 'MB', 'GB'];
  let at = 0;
  for (; bytes >= 1000 && at < units.length - 1; at += 1) bytes /= 1000;
  return `${at && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
};
