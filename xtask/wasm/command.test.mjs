// Tests the command of the npm package as installed: it must do what the native program does, for
// the same arguments, files and environment.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';

import { Programs, fill, home, native, snapshots } from './programs.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'leakgate-command-'));
const prefix = join(scratch, 'prefix');
const installed = join(prefix, 'node_modules/.bin/leakgate');
const log = (name) => readFileSync(join(snapshots, name, 'report.txt'));
const definite = log('memcheck/definite');

/** The native core's reports of all cases, with the names of their logs. */
const reports = join(home, 'target/wasm/native');

let programs;

before(async () => {
  const pack = ['pack', join(home, 'target/wasm/npm'), '--silent', '--pack-destination', scratch];
  const file = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
  fill(prefix, {});
  const install = ['install', '--prefix', prefix, '--offline', '--silent', join(scratch, file)];
  execFileSync('npm', install);
  const command = pathToFileURL(join(prefix, 'node_modules/leakgate/command.js'));
  programs = new Programs(await import(command), scratch);
  await programs.load();
});
after(() => rmSync(scratch, { recursive: true }));

/** Creates the folder in which the programs run. With `tracked`, it is a git repository. */
function project(files, tracked = []) {
  const folder = programs.template;
  fill(folder, files);
  if (tracked.length === 0) return;
  const git = (...args) => execFileSync('git', args, { cwd: folder });
  git('init', '--quiet');
  git('add', '--force', ...tracked);
}

/** Every case: its name, and its logs by name. */
const cases = readdirSync(reports).flatMap((dialect) =>
  readdirSync(join(reports, dialect)).map((name) => {
    const inputs = readFileSync(join(reports, dialect, name, 'inputs'), 'utf8').split('\n');
    const folder = join(snapshots, dialect, name);
    return [
      `${dialect}/${name}`,
      Object.fromEntries(inputs.map((file) => [file, readFileSync(join(folder, file))])),
    ];
  }),
);

/** The first cases of each dialect or, with `LEAKGATE_ALL_CASES`, all. */
function sample() {
  if (process.env.LEAKGATE_ALL_CASES) return cases;
  const seen = new Map();
  return cases.filter(([name]) => {
    const dialect = name.split('/')[0];
    seen.set(dialect, (seen.get(dialect) ?? 0) + 1);
    return seen.get(dialect) <= 2;
  });
}

test('every format of the cases is that of the native program', async () => {
  const library = await import(pathToFileURL(join(prefix, 'node_modules/leakgate/node.js')));
  await library.default();
  const names = library.formats();
  const formats = names.map((format) => `--format=${format}=report.${format}`);
  for (const [, logs] of sample()) {
    project(logs);
    const { status, files } = await programs.agree(['check', ...Object.keys(logs), ...formats]);
    assert.ok(status < 2);
    assert.equal(files.length, Object.keys(logs).length + names.length);
  }
});

test('doctor and suppress give the same for the cases', async () => {
  for (const [, logs] of sample()) {
    project(logs);
    const names = Object.keys(logs);
    await programs.agree(['doctor', ...names]);
    for (const format of ['toml', 'valgrind', 'lsan']) {
      await programs.agree(['suppress', '--format', format, ...names]);
    }
  }
});

test('files, folders, globs, archives and standard input are read', async () => {
  const xml = readFileSync(join(snapshots, 'memcheck-xml/double-free/report.xml'));
  const zip = (files) => Buffer.from(zipSync(files));
  const members = { 'a.log': definite, 'deep/b.xml': xml, 'c.log.gz': gzipSync(definite) };
  const archive = zip(members);
  const broken = Buffer.from(archive);
  broken.fill(0, 40, 80);
  project({
    'a.log': definite,
    'logs/b.log': log('lsan/indirect-clang19'),
    'logs/deep/c.xml': xml,
    'logs/d[1].log': log('memcheck/clean'),
    'a.log.gz': gzipSync(definite),
    'two.gz': Buffer.concat([gzipSync(definite), gzipSync(log('memcheck/clean'))]),
    'a.zip': archive,
    'nested.zip': zip({ 'inner.zip': archive }),
    'a.zip.gz': gzipSync(archive),
    'empty.zip': zip({}),
    'text.zip': zip({ 'notes.txt': strToU8('nothing\n') }),
    'broken.zip': broken,
    'cut.gz': gzipSync(definite).subarray(0, 300),
    'a.xz': Buffer.from('\xFD7zXZ rest', 'latin1'),
  });
  mkdirSync(join(programs.template, 'empty'));
  symlinkSync('../a.log', join(programs.template, 'logs/link.log'));
  symlinkSync('missing', join(programs.template, 'dangling.log'));
  symlinkSync('logs/deep', join(programs.template, 'linked'));
  for (const args of [
    ['a.log'], ['./a.log', 'a.log'], ['logs'], ['logs/**/*.log'], ['*.log', 'logs/*.xml'],
    ['logs/d[1].log'], ['logs/link.log', 'a.log'],
    ['linked/c.xml', 'linked'], ['linked/../b.log'], ['logs/../a.log', './logs/deep/..'],
    ['/usr/..//dev/null'],
    [`${'x'.repeat(300)}.log`], ['', 'a.log'], ['a.log.gz'], ['two.gz'], ['a.zip'],
    ['nested.zip'], ['a.zip.gz'], ['empty.zip'], ['text.zip'], ['broken.zip', 'a.log'], ['cut.gz'],
    ['a.xz'], ['empty'], ['none/*.log'], ['none/*.log', '--allow-no-logs'],
    ['empty.zip', '--allow-no-logs'], ['missing.log'], ['dangling.log'], ['a.log/x'], ['a{.log'],
    ['/dev/null'], ['.'], ['a.log', '--jobs', '4'], ['-'], ['-', 'a.log'], [],
  ]) {
    await programs.agree(['check', ...args]);
  }
  for (const name of ['a.log', 'a.log.gz', 'a.zip', 'empty.zip', 'cut.gz', 'broken.zip']) {
    const inputFile = join(programs.template, name);
    await programs.agree(['check', '-'], { inputFile });
    await programs.agree(['doctor', '-'], { inputFile });
  }
});

test('configuration, rules, baseline and lock files are found', async () => {
  const rule = '[[allow]]\nstack = ["fun:malloc", "fun:definite"]\nreason = "known"\n';
  const tied = `${rule}while = { package = "zlib", version = "1" }\n`;
  const zlib = (version) => `version = 4\n[[package]]\nname = "zlib"\nversion = "${version}"\n`;
  const supp = '{\n  a\n  Memcheck:Leak\n  fun:malloc\n  fun:definite\n}\n';
  for (const [status, config, files] of [
    [1, '', {}],
    [0, rule, {}],
    [1, `${rule}expires = 2020-01-01\n`, {}],
    [0, '[files]\nsuppressions = ["s.supp"]\n', { 's.supp': supp }],
    [2, '[files]\nsuppressions = ["s.supp"]\n', { 's.supp': '{\n' }],
    [2, '[files]\nsuppressions = ["missing.supp"]\n', {}],
    [2, '[files]\nbaseline = "missing.json"\n', {}],
    [2, '[files]\nbaseline = "b.json"\n', { 'b.json': '[]' }],
    [1, '[files]\npacks = ["python", "glib"]\n', {}],
    [1, '[files]\nown = ["src"]\n', {}],
    [2, '[files]\nown = ["scr/**"]\n', {}],
    [2, '[files]\nown = ["{"]\n', {}],
    [2, '[gate]\nsilences = "pass"\n', {}],
    [2, 'a = \n[', {}],
    [0, tied, { 'Cargo.lock': zlib('1.3.0') }],
    [1, tied, { 'Cargo.lock': zlib('2.0.0') }],
    [2, tied, { 'Cargo.lock': '[[' }],
    [1, tied, {}],
  ]) {
    const sources = { 'a.log': definite, 'src/leaks.c': 'int main;\n' };
    project({ ...sources, ...files, 'leakgate.toml': config }, ['src', 'a.log']);
    const result = await programs.agree(['check', 'a.log']);
    assert.equal(result.status, status, `${config}${result.out}${result.err}`);
    await programs.agree(['rules', 'a.log']);
    await programs.agree(['doctor', 'a.log']);
  }
});

test('rules are read from the arguments, and configurations from folders above', async () => {
  const rule = '[[allow]]\nstack = ["fun:malloc", "fun:definite"]\nreason = "known"\n';
  const files = { 'a.log': definite, 'other/x.toml': rule, 's.supp': 'leak:definite\n' };
  project(files);
  for (const [status, ...args] of [
    [0, '--config', 'other/x.toml'],
    [2, '--config', 'missing.toml'],
    [2, '--config', 'other'],
    [1, '--suppressions', 's.supp'],
    [2, '--suppressions', 'missing'],
    [2, '--baseline', 'missing.json'],
    [2, '--pack', 'rust'],
    [1, '--pack', 'python', '--pack', 'rust-std'],
  ]) {
    const result = await programs.agree(['check', 'a.log', ...args]);
    assert.equal(result.status, status, args.join(' '));
  }
  project({ ...files, 'leakgate.toml': rule, 'deep/er/b.log': definite }, ['a.log']);
  const inside = { within: 'deep/er' };
  assert.equal((await programs.agree(['check', 'b.log', '../../a.log'], inside)).status, 0);
  assert.equal((await programs.agree(['check', 'b.log', '--no-config'], inside)).status, 1);
});

test('options and their errors are the same', async () => {
  project({ 'a.log': definite, 'silent.log': 'nothing\n', 'dir/x': '' });
  for (const args of [
    ['a.log', '--fail-on', 'errors'], ['a.log', '--fail-on', 'leakages'], ['silent.log'],
    ['silent.log', '--silence', 'pass'], ['silent.log', '--silence', 'maybe'],
    ['a.log', '--require', 'memcheck,asan'], ['a.log', '--third-party', 'allow'],
    ['a.log', '--full-stacks', '--limit', '0', '--color', 'always'], ['a.log', '--today', 'soon'],
    ['a.log', '--format', 'json'], ['a.log', '--format', 'jsons'], ['a.log', '--format', 'json='],
    ['a.log', '--format', 'json', '--format', 'text'], ['a.log', '--format', 'json=a.log'],
    ['a.log', '--format', 'json=dir'], ['a.log', '--format', 'json=missing/out.json'],
    ['a.log', '--format', 'text=dir/x'], ['a.log', '--max-characters', '5'],
    ['a.log', '--unknown'], ['a.log', '--colors', 'always'], ['a.log', '--base', 'missing.json'],
    ['a.log', '--base', 'a.log'], ['\u001b[2J.log'], ['--help'], ['-h'],
  ]) {
    await programs.agree(['check', ...args]);
  }
  for (const args of [
    [], ['--version'], ['checks'], ['explain'], ['explain', 'kind'], ['explain', 'code'],
    ['explain', 'pack'], ['explain', 'pack', 'python'], ['explain', 'pack', 'pythons'],
    ['explain', 'heap-use-after-free'], ['explain', 'no-evidence'], ['explain', 'x', 'y'],
    ['explain', 'leak-definitely'], ['suppress', '--finding', 'lg2-0000', 'a.log'],
    ['suppress', '--reason', 'ours', 'a.log'], ['help', 'suppress'], ['doctor', '--help'],
  ]) {
    if (args.length) await programs.agree(args);
  }
});

test('the other commands that start no program are the same', async () => {
  const files = { 'a.log': definite, 'clean.log': log('memcheck/clean'), 's.supp': 'leak:f\n' };
  const report = async (name) => {
    project(files);
    return (await programs.agree(['check', name, '--format=json'])).out;
  };
  const [now, before] = [await report('a.log'), await report('clean.log')];
  project({ ...files, 'now.json': now, 'before.json': before, 'same.json': now });
  for (const args of [
    ['check', 'a.log', '--base', 'before.json'], ['diff', 'before.json', 'now.json'],
    ['merge', 'now.json', 'before.json', 'same.json', '--format=html=all.html'],
    ['merge', 'now.json', 'missing*.json'], ['baseline', 'write', 'a.log'], ['init', '--print'],
    ['allow', '--reason', 'known', JSON.parse(now).findings[0].fingerprint, 'a.log'],
    ['rules', 'convert', '--to', 'toml', 's.supp'],
  ]) {
    await programs.agree(args);
  }
});

test('source lines are shown only if git tracks the file', async () => {
  const source = Array.from({ length: 200 }, (_, at) => `line ${at + 1};`).join('\n');
  const files = { 'a.log': definite, 'src/leaks.c': source };
  const check = async (env) => (await programs.agree(['check', 'a.log'], { env })).out;
  project(files, ['src']);
  assert.match(await check({}), /line 33;/);
  project(files, ['a.log']);
  assert.doesNotMatch(await check({}), /line 33;/);
  project(files, ['src']);
  assert.doesNotMatch(await check({ PATH: '/nonexistent' }), /line 33;/);
  fill(programs.template, { ...files, '.git': 'gitdir: /nonexistent\n' });
  assert.doesNotMatch(await check({}), /line 33;/);
});

test('CI systems get annotations', async () => {
  project({ 'a.log': definite });
  for (const env of [{ GITHUB_ACTIONS: 'true' }, { TF_BUILD: 'True' }, { TEAMCITY_VERSION: '1' }]) {
    const { out } = await programs.agree(['check', 'a.log'], { env });
    assert.match(out, /^##|^::group::/);
  }
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: programs.folder };
  await programs.agree(['check', 'a.log'], { env });
});

test('reports keep the permissions of the files that they replace', async () => {
  project({ 'a.log': definite, 'secret.json': '' });
  chmodSync(join(programs.template, 'secret.json'), 0o600);
  const { files } = await programs.agree([
    'check', 'a.log', '--format=json=secret.json', '--format=html=new.html',
  ]);
  const modes = files.map(([name, mode]) => [name, mode & 0o777]);
  assert.deepEqual(modes.slice(1), [['new.html', 0o644], ['secret.json', 0o600]]);
});

test('a report is written where a path through a link leads', async () => {
  project({ 'a.log': definite, 'real/deep/x': '' });
  symlinkSync('real/deep', join(programs.template, 'link'));
  const { files } = await programs.agree(['check', 'a.log', '--format=json=link/../out.json']);
  assert.ok(files.some(([name]) => name === 'real/out.json'));
  const manifest = '[package]\nname = "a"\nversion = "0.1.0"\n';
  project({ 'Cargo.toml': manifest, 'src/main.rs': '' }, ['src']);
  assert.equal((await programs.agree(['init', '--yes'])).status, 0);
});

test('what only the native program can do is an error that names it', async () => {
  project({ 'a.log': definite });
  for (const [args, work] of [
    [['run', '--tool', 'asan', '--', './a', '--help'], 'run a command'],
    [['run', '--help'], 'run a command'],
    [['action'], "run the GitHub Action's step"],
    [['publish'], 'publish results'],
    [['check', '--symbolize', 'a.log'], 'symbolize frames'],
  ]) {
    const { status, out, err } = await programs.runCommand(args, {});
    assert.equal(status, 2);
    assert.equal(out, '');
    assert.equal(
      err,
      `error: cannot ${work}: the npm package starts no programs and has no network\n` +
        'help: use the native program: https://github.com/leakgate/leakgate#install\n',
    );
  }
});

test('the help differs only by the note about what is missing', async () => {
  const ours = await programs.runCommand(['--help'], {});
  const theirs = await programs.runNative(['--help'], {});
  assert.ok(ours.out.startsWith(theirs.out));
  assert.match(ours.out.slice(theirs.out.length), /^\nThis is leakgate in Node\. /);
});

test('the installed program runs, and a closed pipe is no error', () => {
  const run = (command) => spawnSync('bash', ['-c', command], { cwd: snapshots, encoding: 'utf8' });
  const path = 'memcheck/definite/report.txt';
  for (const args of [`check ${path}`, `check - < ${path}`, 'explain kind', 'check missing']) {
    const ours = run(`${installed} ${args}`);
    const theirs = run(`${native} ${args}`);
    assert.deepEqual(
      [ours.status, ours.stdout, ours.stderr],
      [theirs.status, theirs.stdout, theirs.stderr],
    );
  }
  const html = `${installed} check ${path} --format html`;
  const head = run(`${html} | head -c 10; echo "\${PIPESTATUS[0]}"`);
  assert.equal(head.stderr, '');
  assert.match(head.stdout, /^<!doctype.1\n$/i);
});

test('in a terminal, colors and width are those of the native program', () => {
  const run = (program, command) =>
    spawnSync('script', ['-qec', `stty cols 60 rows 20; ${program} ${command}`, '/dev/null'], {
      cwd: snapshots,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TERM: 'xterm-256color' },
    }).stdout;
  for (const command of [
    'check memcheck/definite/report.txt',
    'explain leak-definite',
    'check --help',
    'check missing',
  ]) {
    assert.equal(run(installed, command), run(native, command));
  }
  assert.ok(run(installed, 'check memcheck/definite/report.txt').includes('\u001b['));
  const plain = (program) => run(`NO_COLOR=1 ${program}`, 'check memcheck/definite/report.txt');
  assert.equal(plain(installed), plain(native));
});
