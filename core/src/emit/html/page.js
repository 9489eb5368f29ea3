// Entry point of a standalone report, which has its data embedded.

import { use } from './report.js';
import { view } from './view.js';

/** Loads the embedded data, which is deflated if there is a lot of it. */
async function load() {
  const { type, textContent } = document.getElementById('data');
  if (type === 'application/json') return JSON.parse(textContent);
  const bytes = Uint8Array.from(atob(textContent), (c) => c.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(text).json();
}

use(await load());
document.getElementById('app').append(...view());
