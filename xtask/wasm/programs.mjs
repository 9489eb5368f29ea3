// Runs the native program and the command of the npm package in equal folders, and compares what
// they print and write.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const home = resolve(import.meta.dirname, '../..');
export const snapshots = join(home, 'snapshots');
export const native = join(home, 'target/debug/leakgate');

/** An environment in which neither the machine nor a CI system changes the output. */
const ENVIRONMENT = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };

/** Writes files into a new folder. `files` has their contents by path. */
export function fill(folder, files) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Returns the content and the permissions of every file of a folder, except those of git. */
function filesOf(folder) {
  const names = readdirSync(folder, { recursive: true }).sort();
  const shown = names.filter((name) => !/^\.git(\/|$)/.test(name));
  const files = shown.filter((name) => lstatSync(join(folder, name)).isFile());
  return files.map((name) => {
    const path = join(folder, name);
    return [name, lstatSync(path).mode, readFileSync(path, 'latin1')];
  });
}

/** Compares both programs. `command` is the command's module file with `load` and `run`. */
export class Programs {
  constructor(command, scratch) {
    this.command = command;
    this.scratch = scratch;
    this.template = join(scratch, 'template');
    this.folder = join(scratch, 'folder');
  }

  async load() {
    this.module = await this.command.load();
  }

  /**
   * Runs a program in a copy of the template, or in a folder within it. Returns its status, its
   * output and its files.
   */
  async result(run, { inputFile = '/dev/null', within = '.', env = {} }) {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(this.template, this.folder, { recursive: true, verbatimSymlinks: true });
    const paths = ['stdout', 'stderr'].map((name) => join(this.scratch, name));
    const [stdout, stderr] = paths.map((path) => openSync(path, 'w'));
    const stdin = openSync(inputFile, 'r');
    const status = await run({
      cwd: join(this.folder, within),
      env: { ...ENVIRONMENT, ...env },
      stdin,
      stdout,
      stderr,
    });
    [stdin, stdout, stderr].forEach(closeSync);
    const [out, err] = paths.map((path) => readFileSync(path, 'latin1'));
    return { status, out, err, files: filesOf(this.folder) };
  }

  runNative(args, options) {
    const run = ({ cwd, env, stdin, stdout, stderr }) =>
      spawnSync(native, args, { cwd, env, stdio: [stdin, stdout, stderr] }).status;
    return this.result(run, options);
  }

  runCommand(args, options) {
    return this.result((streams) => this.command.run(this.module, args, streams), options);
  }

  /** Checks that both programs do the same, and returns what they do. */
  async agree(args, options = {}) {
    const want = await this.runNative(args, options);
    const got = await this.runCommand(args, options);
    assert.deepEqual(got, want, args.join(' '));
    return got;
  }
}
