// Tests the npm package as installed: parity with the native core, errors, the README example, and
// the list of files.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const home = resolve(import.meta.dirname, '../..');
const snapshots = join(home, 'snapshots');
const native = join(home, 'target/wasm/native');
const source = join(home, 'target/wasm/npm');
const folder = mkdtempSync(join(tmpdir(), 'leakgate-npm-'));
const installed = join(folder, 'node_modules/leakgate');
const definite = join(snapshots, 'memcheck/definite/report.txt');
let leakgate;

before(async () => {
  mkdirSync(join(folder, 'node_modules'));
  cpSync(source, installed, { recursive: true });
  leakgate = await import(pathToFileURL(join(installed, 'node.js')));
  await leakgate.default();
});
after(() => rmSync(folder, { recursive: true }));

/** Reads files in chunks of `size` bytes. */
function read(files, size) {
  const session = new leakgate.Session();
  for (const [name, bytes] of files) {
    session.begin(name);
    for (let at = 0; at < bytes.length; at += size) session.feed(bytes.subarray(at, at + size));
  }
  return session.finish();
}

const one = () => read([['report.txt', readFileSync(definite)]], 65536);

/** Returns the error that a function throws. */
function thrown(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  assert.fail('expected an error');
}

const cases = readdirSync(native).flatMap((dialect) =>
  readdirSync(join(native, dialect)).map((name) => `${dialect}/${name}`),
);

test('every dump has a case', () => {
  const dumps = readdirSync(snapshots, { recursive: true }).filter((file) =>
    file.endsWith('dump.snap'),
  );
  assert.equal(cases.length, dumps.length);
});

for (const size of [1, 7, 65536]) {
  test(`reports match the native ones, read in chunks of ${size}`, () => {
    for (const name of cases) {
      const names = readFileSync(join(native, name, 'inputs'), 'utf8').split('\n');
      const report = read(
        names.map((file) => [file, readFileSync(join(snapshots, name, file))]),
        size,
      );
      const judged = report.judge({ today: '2026-06-01' });
      // Chunks affect parsing, not formatting, so one format is enough for the small sizes.
      for (const format of size === 65536 ? leakgate.formats() : ['json']) {
        const want = readFileSync(join(native, name, format), 'utf8');
        assert.ok(judged.document(format) === want, `${name}: ${format} differs`);
      }
      judged.free();
      report.free();
    }
  });
}

test('text reports match the snapshots', () => {
  for (const name of cases) {
    const snapshot = readFileSync(join(snapshots, name, 'text.snap'), 'utf8');
    const [, , body] = snapshot.split(/^---\n/m, 3);
    const text = readFileSync(join(native, name, 'text'), 'utf8');
    const masked = text.replaceAll(/lg2-[0-9a-f]{32}/g, 'lg#');
    assert.equal(masked.trimEnd(), body.trimEnd(), name);
  }
});

test('the README example runs', () => {
  const readme = readFileSync(join(installed, 'README.md'), 'utf8');
  const [, code] = readme.match(/```js\n([^]*?)```/);
  assert.ok(code.trimEnd().split('\n').length <= 10, 'the example has at most ten lines');
  writeFileSync(join(folder, 'example.mjs'), code);
  const run = (log) => {
    copyFileSync(log, join(folder, 'run.log'));
    return spawnSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
  };
  const bad = run(definite);
  assert.equal(bad.stderr, '');
  assert.match(bad.stdout, /^fail: /);
  assert.equal(bad.status, 1);
  assert.equal(run(join(snapshots, 'memcheck/clean/report.txt')).status, 0);
});

test('a generated rule accepts the finding until it expires', () => {
  const report = one();
  const judged = report.judge();
  assert.equal(judged.outcome, 'fail');
  const { findings } = JSON.parse(judged.document('json'));
  const entries = findings.map((finding) =>
    judged.entry(finding.fingerprint, 'toml', { reason: 'known', expires: '2026-12-31' }),
  );
  const config = [...new Set(entries)].join('\n');
  assert.equal(report.judge({ config, today: '2026-12-31' }).outcome, 'pass');
  assert.equal(report.judge({ config, today: '2027-01-01' }).outcome, 'fail');
  assert.throws(() => judged.entry('lg2-00000000', 'toml'), /no finding/);
  assert.throws(() => judged.entry(findings[0].fingerprint, 'perl'), /unknown rule syntax/);
  const supp = { name: 'known.supp', text: judged.entry(findings[0].fingerprint, 'valgrind') };
  assert.equal(
    JSON.parse(report.judge({ suppressions: [supp] }).document('json')).findings[0].disposition,
    'allowed',
  );
});

test('errors in files are listed, and unknown options throw', () => {
  const report = one();
  const error = thrown(() =>
    report.judge({
      config: '[gate]\nsilnce = 1\n',
      today: 'soon',
      suppressions: [{ name: 'a', text: '{\n' }],
    }),
  );
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'MistakesError');
  assert.deepEqual(
    error.mistakes.map(({ file, line }) => [file, line]),
    [
      ['leakgate.toml', 2],
      ['today', 0],
      ['a', 1],
    ],
  );
  assert.equal(error.mistakes[0].help, 'did you mean `silence`?');
  assert.match(error.message, /leakgate\.toml:2:1/);
  assert.match(thrown(() => report.judge({ rules: '' })).message, /options: unknown field `rules`/);
  assert.ok(thrown(() => report.judge({ packs: 'go' })) instanceof TypeError);
  const cyclic = {};
  cyclic.config = cyclic;
  assert.ok(thrown(() => report.judge(cyclic)) instanceof TypeError);
  assert.throws(() => report.judge().document('pdf'), /unknown format/);
  assert.throws(() => report.judge().document('sarif', { categry: 'a' }), TypeError);
  // The report is still usable after the errors.
  assert.equal(report.judge(null).outcome, 'fail');
});

test('a session reads custom formats and reports errors in them', () => {
  const config = readFileSync(join(home, 'docs/own-formats/leakgate.toml'), 'utf8');
  const session = new leakgate.Session(config);
  session.begin('leak.log');
  session.feed(readFileSync(join(home, 'docs/own-formats/leak.log')));
  const judged = session.finish().judge({ config });
  assert.equal(judged.outcome, 'fail');
  assert.match(judged.document('text'), /custom:runtime-trace leak\.log:3/);
  const { mistakes } = thrown(
    () => new leakgate.Session('[[format]]\nname = "a"\npattern = "("\n'),
  );
  assert.equal(mistakes[0].line, 3);
});

test('a finished session throws, and other sessions work', () => {
  const session = new leakgate.Session();
  session.feed(Buffer.from('nothing\n'));
  const report = session.finish();
  assert.throws(() => session.feed(Buffer.from('x')), Error);
  assert.equal(report.judge().outcome, 'fail');
  assert.equal(report.judge({ silence: 'pass' }).outcome, 'pass');
  assert.equal(new leakgate.Session().finish().judge().outcome, 'fail');
});

test('runs can be compared and merged', () => {
  const clean = read([['clean', readFileSync(join(snapshots, 'memcheck/clean/report.txt'))]], 65536)
    .judge()
    .document('json');
  const report = one();
  const judged = report.judge({ base: clean });
  assert.ok(judged.changes.length > 0 && judged.changes.every(({ change }) => change === 'new'));
  assert.equal(report.judge().changes, undefined);
  const now = judged.document('json');
  assert.deepEqual(leakgate.compare(clean, now), judged.changes);
  assert.equal(leakgate.compare(now, clean)[0].change, 'fixed');
  assert.equal(
    leakgate
      .merge([
        { name: 'a', text: clean },
        { name: 'b', text: clean },
      ])
      .judge().outcome,
    'pass',
  );
  assert.equal(
    leakgate
      .merge([
        { name: 'a', text: clean },
        { name: 'b', text: now },
      ])
      .judge().outcome,
    'fail',
  );
  assert.equal(thrown(() => leakgate.merge([{ name: 'a', text: '[' }])).name, 'MistakesError');
  assert.throws(() => leakgate.merge([]), /nothing to merge/);
});

test('Node resolves the package by name, and the versions match', () => {
  const code = "import init, { version } from 'leakgate'; await init(); console.log(version());";
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(
    out.trim(),
    JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).version,
  );
});

test('a browser fetches the module next to the script', async (t) => {
  const code = pathToFileURL(join(installed, 'leakgate.js'));
  const answer = new Response(readFileSync(join(installed, 'leakgate_bg.wasm')), {
    headers: { 'content-type': 'application/wasm' },
  });
  const fetched = t.mock.method(globalThis, 'fetch', async () => answer);
  const page = await import(`${code}?page`);
  await page.default();
  assert.deepEqual(
    fetched.mock.calls.map(({ arguments: [url] }) => String(url)),
    [String(new URL('leakgate_bg.wasm', code))],
  );
  assert.equal(page.version(), leakgate.version());
});

test('the package contains exactly the expected files', () => {
  const out = execFileSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: installed,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const listed = JSON.parse(out);
  const [{ files }] = Array.isArray(listed) ? listed : Object.values(listed);
  const names = files.map(({ path }) => path).sort();
  assert.deepEqual(names, [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'bin.js',
    'command.js',
    'leakgate.d.ts',
    'leakgate.js',
    'leakgate_bg.wasm',
    'leakgate_command.wasm',
    'node.js',
    'package.json',
  ]);
});
