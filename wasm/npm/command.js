// Runs the command: the native program as WebAssembly, with the files of this machine.
//
// Node's WASI opens files. This file adds what it lacks: starting git, the permissions of files,
// and links before `..` in a path.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isatty, WriteStream } from 'node:tty';

/** Errors of WASI, and a type of files. */
const SUCCESS = 0;
const EINVAL = 28;
const ENOENT = 44;
const REGULAR_FILE = 4;

/** The first file descriptor of git's output. Node's are small. */
const FIRST_OUTPUT = 1 << 20;

/** The size of a page of memory, in bytes. A half is larger than any path. */
const PAGE = 1 << 16;

/** The functions of WASI that take paths: the positions of their addresses, before the lengths. */
const PATHS = {
  path_create_directory: [1],
  path_filestat_get: [2],
  path_link: [2, 5],
  path_open: [2],
  path_readlink: [1],
  path_remove_directory: [1],
  path_rename: [1, 4],
  path_unlink_file: [1],
};

/** A path with `..`, and what precedes the last one. */
const PARENT = /^(?:.*\/)?\.\.(?=\/|$)/s;

/** Permissions of a new report, which all users may read. */
const READABLE = 0o644;

/** Returns Node's class. Its warning says that it is experimental, which users can't change. */
async function loadWasi() {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return (await import('node:wasi')).WASI;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Compiles the module. */
export const load = () =>
  WebAssembly.compile(readFileSync(new URL('leakgate_command.wasm', import.meta.url)));

/**
 * Runs the command with these arguments, and returns its exit status. `options` has the environment
 * `env`, the working directory `cwd`, and the file descriptors `stdin`, `stdout` and `stderr`; the
 * defaults are those of this process.
 */
export async function run(module, args, options = {}) {
  const { env = process.env, cwd = process.cwd(), stdin = 0, stdout = 1, stderr = 2 } = options;
  const WASI = await loadWasi();
  const folder = `/dev/leakgate-${randomUUID()}`;
  const wasi = new WASI({
    version: 'preview1',
    args: ['leakgate', ...args],
    env: { ...env, PWD: cwd, LEAKGATE_HOST: folder, ...widthOf([stdout, stderr, stdin], env) },
    preopens: { '/': '/' },
    stdin,
    stdout,
    stderr,
    returnOnExit: true,
  });
  let memory;
  const host = new Host(wasi.wasiImport, folder, { env, cwd }, () => memory);
  const imports = { wasi_snapshot_preview1: { ...wasi.wasiImport, ...host.functions() } };
  const instance = await WebAssembly.instantiate(module, imports);
  memory = instance.exports.memory;
  host.reserve();
  return wasi.start(instance);
}

/** Returns the variable with the width of the terminal, unless the user has set it. */
function widthOf(streams, env) {
  const terminal = streams.find((stream) => isatty(stream));
  if (terminal === undefined || Number(env.COLUMNS) > 0) return {};
  const [columns, rows] = new WriteStream(terminal).getWindowSize();
  return columns > 0 && rows > 0 ? { COLUMNS: String(columns) } : {};
}

/** Functions that replace some of WASI's. */
class Host {
  /** `folder` is the path below which opening a file starts git. */
  constructor(wasi, folder, git, memory) {
    this.wasi = wasi;
    this.prefix = `${folder.slice(1)}/`;
    this.git = git;
    this.memory = memory;
    this.outputs = new Map();
  }

  /** Reserves memory for two paths, before the program allocates any. */
  reserve() {
    this.reserved = this.memory().grow(1) * PAGE;
  }

  buffer() {
    return this.memory().buffer;
  }

  functions() {
    const { wasi } = this;
    const withPaths = Object.entries(PATHS).map(([name, positions]) => [
      name,
      (...args) => this.call(name, args, positions),
    ]);
    return {
      ...Object.fromEntries(withPaths),
      fd_read: (fd, ...args) =>
        this.outputs.has(fd) ? this.read(fd, args) : wasi.fd_read(fd, ...args),
      fd_filestat_get: (fd, at) =>
        this.outputs.has(fd) ? this.stat(fd, at) : wasi.fd_filestat_get(fd, at),
      fd_seek: (fd, ...args) => (this.outputs.has(fd) ? EINVAL : wasi.fd_seek(fd, ...args)),
      fd_tell: (fd, ...args) => (this.outputs.has(fd) ? EINVAL : wasi.fd_tell(fd, ...args)),
      fd_close: (fd) => (this.outputs.delete(fd) ? SUCCESS : wasi.fd_close(fd)),
    };
  }

  text(at, length) {
    return Buffer.from(this.buffer(), at, length).toString();
  }

  /** Calls a function of WASI with paths. The paths have no `..`. */
  call(name, args, positions) {
    if (name === 'path_open' && this.text(args[2], args[3]).startsWith(this.prefix)) {
      return this.openGit(this.text(args[2], args[3]).slice(this.prefix.length), args[8]);
    }
    positions.forEach((at, index) => {
      args.splice(at, 2, ...this.resolved(args[at], args[at + 1], index));
    });
    if (name === 'path_rename' || name === 'path_link') {
      const [from, to] = positions.map((at) => `/${this.text(args[at], args[at + 1])}`);
      keepPermissions(from, to);
    }
    return this.wasi[name](...args);
  }

  /**
   * Returns the address and the length of a path without `..`. Node's WASI removes a folder before
   * `..` even if it's a link, whose target has another parent.
   */
  resolved(at, length, index) {
    const path = this.text(at, length);
    const [parent] = path.match(PARENT) ?? [];
    if (parent === undefined) return [at, length];
    try {
      const absolute = realpathSync.native(`/${parent}`) + path.slice(parent.length);
      const bytes = Buffer.from(absolute.replace(/^\/+/, '') || '.');
      const address = this.reserved + (index * PAGE) / 2;
      new Uint8Array(this.buffer(), address, PAGE / 2).set(bytes);
      return [address, bytes.length];
    } catch {
      // The folder doesn't exist, which WASI reports.
      return [at, length];
    }
  }

  /** Starts git with the arguments in a request, and opens its output. */
  openGit(request, openedAt) {
    const output = runGit(JSON.parse(request), this.git);
    if (!output) return ENOENT;
    const fd = FIRST_OUTPUT + this.outputs.size;
    this.outputs.set(fd, output);
    new DataView(this.buffer()).setUint32(openedAt, fd, true);
    return SUCCESS;
  }

  /** Reads git's output into the buffers of the list at `at`. */
  read(fd, [at, count, readAt]) {
    const view = new DataView(this.buffer());
    let read = 0;
    for (let i = 0; i < count; i += 1) {
      const address = view.getUint32(at + 8 * i, true);
      const part = this.outputs.get(fd).subarray(0, view.getUint32(at + 8 * i + 4, true));
      new Uint8Array(this.buffer(), address).set(part);
      this.outputs.set(fd, this.outputs.get(fd).subarray(part.length));
      read += part.length;
    }
    view.setUint32(readAt, read, true);
    return SUCCESS;
  }

  /** Writes what is known about git's output: it is a file, with this size. */
  stat(fd, at) {
    const bytes = new Uint8Array(this.buffer(), at, 64).fill(0);
    bytes[16] = REGULAR_FILE;
    new DataView(this.buffer()).setUint32(at + 32, this.outputs.get(fd).length, true);
    return SUCCESS;
  }
}

/** Gives a temporary file the permissions of the file that it will replace. */
function keepPermissions(from, to) {
  try {
    chmodSync(from, statSync(to, { throwIfNoEntry: false })?.mode ?? READABLE);
  } catch {
    // Not every file system has permissions.
  }
}

/**
 * Returns what git prints, followed by `+`, or `-` if it failed. Returns nothing if it can't be
 * started.
 */
function runGit(args, options) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  const { error, status, stdout, stderr } = spawnSync('git', args, {
    ...options,
    stdio,
    maxBuffer: Infinity,
  });
  if (error) return undefined;
  return Buffer.concat(status === 0 ? [stdout, Buffer.from('+')] : [stderr, Buffer.from('-')]);
}
