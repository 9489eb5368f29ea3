// In Node, the module is a file next to this one, which `fetch` cannot read.

import { readFile } from 'node:fs/promises';
import start from './leakgate.js';

export * from './leakgate.js';

export default async function init(source) {
  return start(source ?? { module_or_path: await readFile(new URL('leakgate_bg.wasm', import.meta.url)) });
}
