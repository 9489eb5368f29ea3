// Tests the reader, the module that the page loads first: it either gives the same result as the
// native core, or ends, so that the page continues with the full module.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const home = resolve(import.meta.dirname, '../..');
const snapshots = join(home, 'snapshots');
const native = join(home, 'target/wasm/native');
const folder = join(home, 'target/wasm/reader');
const script = pathToFileURL(join(folder, 'leakgate.js'));
const module = new WebAssembly.Module(readFileSync(join(folder, 'leakgate_bg.wasm')));

/** A log without mangled names. */
const PLAIN = 'memcheck/definite';

/** A C++ or Rust symbol in a JSON report. */
const MANGLED = /"_{1,2}Z|"_R/;

let instances = 0;

/** Returns a new instance of the reader. After it has ended, its memory is useless. */
async function newReader() {
  instances += 1;
  const reader = await import(`${script}?${instances}`);
  reader.initSync({ module });
  return reader;
}

const reports = (name) =>
  readFileSync(join(native, name, 'inputs'), 'utf8')
    .split('\n')
    .map((file) => [file, readFileSync(join(snapshots, name, file))]);

function read(reader, files, config) {
  const session = new reader.Session(config);
  for (const [name, bytes] of files) {
    session.begin(name);
    session.feed(bytes);
  }
  return session.finish();
}

/** Runs a function. Returns undefined if the module ended. */
function resultOf(run) {
  try {
    return run();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return undefined;
    throw error;
  }
}

const cases = readdirSync(native).flatMap((dialect) =>
  readdirSync(join(native, dialect)).map((name) => `${dialect}/${name}`),
);

test('the page shows the same for every case, unless it has mangled names', async () => {
  let ended = 0;
  for (const name of cases) {
    const reader = await newReader();
    const panes = resultOf(() =>
      read(reader, reports(name)).judge({ config: '', today: '2026-06-01' }).panes(),
    );
    const isMangled = MANGLED.test(readFileSync(join(native, name, 'json'), 'utf8'));
    assert.equal(panes === undefined, isMangled, name);
    if (isMangled) ended += 1;
    else assert.deepEqual(panes, JSON.parse(readFileSync(join(native, name, 'panes'), 'utf8')));
  }
  assert.ok(ended > 0 && ended < cases.length / 10, `${ended} of ${cases.length} cases`);
});

test('settings without rules need no other module', async () => {
  const reader = await newReader();
  const report = read(reader, [['a.log', Buffer.from('nothing\n')]]);
  assert.equal(report.judge({ today: '2026-06-01' }).outcome, 'fail');
  assert.equal(report.judge({ silence: 'pass', failOn: ['leaks'] }).outcome, 'pass');
  assert.throws(() => report.judge({ failOn: ['leek'] }), { name: 'MistakesError' });
  assert.throws(() => report.judge({ rules: '' }), TypeError);
  assert.ok(reader.packs().length > 10);
});

const LINE = '[[allow]]\nid = "a"\nreason = "x"\nkinds = ["leaks"]\n';
const FORMAT = '[[format]]\nname = "a"\npattern = "leaked (?<bytes>\\\\d+)"\n';
const document = readFileSync(join(native, PLAIN, 'json'), 'utf8');
const judge = (options) => (reader, report) => report.judge(options);
const MORE = {
  'a rule': judge({ config: `${LINE}stack = ["fun:make"]\n` }),
  'a rule with a regular expression': judge({ config: `${LINE}stack = ["re:^make"]\n` }),
  'an invalid rule': judge({ config: '[' }),
  'settings in a file': judge({ config: '[gate]\nsilence = "pass"\n' }),
  'a custom format': (reader, report) => read(reader, reports(PLAIN), FORMAT),
  'a suppression file': judge({ suppressions: [{ name: 'a.supp', text: 'leak:make\n' }] }),
  'a pack': judge({ packs: ['glib'] }),
  'a baseline': judge({ baseline: '{}' }),
  'an earlier run': judge({ base: document }),
  'merged runs': (reader) => reader.merge([{ name: 'a', text: document }]),
  'compared runs': (reader) => reader.compare(document, document),
  'a generated rule': (reader, report) =>
    report.judge().entry(JSON.parse(document).findings[0].fingerprint, 'toml'),
};
for (const format of readdirSync(join(native, PLAIN)).filter((n) => !/inputs|panes/.test(n))) {
  MORE[`a document in the format ${format}`] = (reader, report) => report.judge().document(format);
}
for (const [subject, run] of Object.entries(MORE)) {
  test(`${subject} needs the full module`, async () => {
    const reader = await newReader();
    const report = read(reader, reports(PLAIN));
    assert.equal(
      resultOf(() => run(reader, report)),
      undefined,
    );
  });
}
