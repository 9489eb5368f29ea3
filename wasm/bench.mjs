// Measures how fast a module parses the files in a directory: node wasm/bench.mjs MODULE DIR, where
// MODULE is the directory of the module and its bindings. `cargo xtask wasm --bench` generates the
// files. It measures CPU time, because other programs on the same machine affect it the least.

import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const CHUNK = 1 << 20;
const ROUNDS = 7;

const [module, folder] = process.argv.slice(2);
const { initSync, Session } = await import(pathToFileURL(resolve(module, 'leakgate.js')));
initSync({ module: readFileSync(join(module, 'leakgate_bg.wasm')) });
console.log(
  module.split('/').at(-1).padEnd(24),
  'MB'.padStart(6),
  'MB/s parse'.padStart(11),
  'ms judge'.padStart(9),
  'ms panes'.padStart(9),
);
for (const name of readdirSync(folder).sort()) {
  const bytes = readFileSync(join(folder, name));
  const best = { parse: Infinity, judge: Infinity, panes: Infinity };
  const measure = (step, run) => {
    const start = process.cpuUsage();
    const out = run();
    const { user, system } = process.cpuUsage(start);
    best[step] = Math.min(best[step], (user + system) / 1e3);
    return out;
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const report = measure('parse', () => {
      const session = new Session();
      session.begin(name);
      for (let at = 0; at < bytes.length; at += CHUNK) session.feed(bytes.subarray(at, at + CHUNK));
      return session.finish();
    });
    const judged = measure('judge', () => report.judge({ silence: 'pass' }));
    measure('panes', () => judged.panes());
    judged.free();
    report.free();
  }
  const figures = [
    (bytes.length / 1e6).toFixed(1).padStart(6),
    (bytes.length / best.parse / 1e3).toFixed(0).padStart(11),
  ];
  console.log(
    name.padEnd(24),
    ...figures,
    best.judge.toFixed(1).padStart(9),
    best.panes.toFixed(1).padStart(9),
  );
}
