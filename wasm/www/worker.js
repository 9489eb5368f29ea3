// Reads and judges logs in the background, which keeps the page responsive. Two workers have this
// script, with different modules; `calls.js` chooses between them.

import init, { Session, merge, packs, version } from './leakgate.js';
import { Logs } from './lines.js';
import { Unpacker } from './unpack.js';

/** Number of bytes read from a file at a time. */
const CHUNK = 4 << 20;

/**
 * Previews of the findings so far take at most one part in `PREVIEW_SHARE` of the time. Their
 * pauses, and the delay before the first one, last at least `PREVIEW_DELAY` milliseconds.
 */
const PREVIEW_SHARE = 8;
const PREVIEW_DELAY = 100;

/** Number of log lines shown before and after a place. */
const LINES_BEFORE = 3;
const LINES_AFTER = 24;

let ready = null;
let report = null;
let judged = null;
let logs = new Logs();
/** Number of the latest read, which stops earlier ones. */
let turn = 0;

/** Returns the parts of a verdict that the page shows. */
const panesOf = (result) => ({
  outcome: result.outcome,
  notGiven: result.notGiven,
  ...result.panes(),
});

/** Returns true if the module has trapped, after which its memory cannot be trusted. */
const isTrap = (error) => error instanceof WebAssembly.RuntimeError;

/** Reports progress, with a preview of the findings from time to time. */
class Preview {
  constructor(session, options, onProgress) {
    Object.assign(this, { session, options, onProgress });
    this.next = performance.now() + PREVIEW_DELAY;
  }

  update(part) {
    const begin = performance.now();
    if (begin < this.next) {
      this.onProgress({ part });
      return;
    }
    this.onProgress({ part, panes: this.panes() });
    const elapsed = performance.now() - begin;
    this.next = performance.now() + PREVIEW_SHARE * elapsed + PREVIEW_DELAY;
  }

  panes() {
    let partial = null;
    let result = null;
    try {
      partial = this.session.peek();
      result = partial.judge(this.options);
      return panesOf(result);
    } catch (error) {
      // Errors in rules are reported at the end.
      if (isTrap(error)) throw error;
      return null;
    } finally {
      result?.free();
      partial?.free();
    }
  }
}

/** Returns a session for a configuration's formats. Errors are reported by the final verdict. */
function sessionFor(config) {
  try {
    return new Session(config);
  } catch (error) {
    if (isTrap(error)) throw error;
    return new Session();
  }
}

/** Makes the names of files unique: archives of the same name are separate sources. */
function uniqueNames(files) {
  const counts = new Map();
  return files.map(({ name }) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count > 1 ? `${name} (${count})` : name;
  });
}

/** Yields the chunks of a blob, and fetches the next one while the current one is parsed. */
async function* chunksOf(blob) {
  const fetchChunk = (at) => blob.slice(at, at + CHUNK).arrayBuffer();
  let next = fetchChunk(0);
  for (let at = 0; at === 0 || at < blob.size; at += CHUNK) {
    const chunk = new Uint8Array(await next);
    const isLast = at + CHUNK >= blob.size;
    if (!isLast) next = fetchChunk(at + CHUNK);
    yield { chunk, isLast, end: at + chunk.length };
  }
}

/**
 * Reads files into a session. Returns null if `isCanceled` returns true in between. Files that
 * cannot be unpacked are listed in `failed`, and the others are still read.
 */
async function readFiles(files, options, kept, isCanceled, onProgress = null) {
  const session = sessionFor(options.config);
  const preview = onProgress && new Preview(session, options, onProgress);
  const failed = [];
  let current = null;
  const sink = {
    begin(name, source, isPlain) {
      session.begin(name, source);
      kept.begin(isPlain ? current : null);
    },
    bytes(chunk) {
      session.feed(chunk);
      kept.push(chunk);
    },
  };
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const names = uniqueNames(files);
  let done = 0;
  for (const [index, { blob, source }] of files.entries()) {
    const unpacker = new Unpacker(names[index], sink, source);
    current = blob;
    try {
      for await (const { chunk, isLast, end } of chunksOf(blob)) {
        if (isCanceled()) {
          session.free();
          return null;
        }
        unpacker.push(chunk, isLast);
        preview?.update((done + end) / Math.max(total, 1));
      }
    } catch (error) {
      if (isTrap(error)) throw error;
      failed.push(`${names[index]}: ${error.message}`);
    }
    done += blob.size;
  }
  return { report: session.finish(), failed };
}

function replaceReport(newReport, newLogs) {
  report?.free();
  report = newReport;
  logs = newLogs;
}

const tasks = {
  about: () => ({ version: version(), packs: packs() }),

  /** Reads logs. Returns null if a later read has replaced this one. */
  async read({ files, options }, onProgress) {
    turn += 1;
    const ownTurn = turn;
    const kept = new Logs();
    const read = await readFiles(files, options, kept, () => ownTurn !== turn, onProgress);
    if (!read) return null;
    replaceReport(read.report, kept);
    return { failed: read.failed };
  },

  /** Opens JSON reports instead of logs. */
  open({ documents }) {
    turn += 1;
    replaceReport(merge(documents), new Logs());
  },

  judge({ options }) {
    if (!report) return null;
    const next = report.judge(options);
    judged?.free();
    judged = next;
    return panesOf(judged);
  },

  /** Returns the JSON report of other logs, as the base of a comparison. */
  async base({ files, options }) {
    const ignored = { begin() {}, push() {} };
    const read = await readFiles(files, options, ignored, () => false);
    const result = read.report.judge({ silence: 'pass' });
    const text = result.document('json');
    result.free();
    read.report.free();
    if (read.failed.length) throw new Error(read.failed.join('; '));
    return text;
  },

  document: ({ format }) => judged.document(format),

  entry: ({ fingerprint, wording }) => judged.entry(fingerprint, 'toml', wording),

  lines: ({ input, line }) => logs.around(input, line, LINES_BEFORE, LINES_AFTER),
};

addEventListener('message', async ({ data: { id, task, module, ...args } }) => {
  ready ??= init(module && { module_or_path: decodeModule(module) });
  if (!task) return;
  try {
    await ready;
  } catch (error) {
    const message =
      `cannot load leakgate's module: ${error.message}. ` +
      'Check the connection, and add the logs again.';
    postMessage({ id, error: { message, isCrash: true } });
    return;
  }
  try {
    const onProgress = (progress) => postMessage({ id, progress });
    postMessage({ id, result: await tasks[task](args, onProgress) });
  } catch (error) {
    const isCrash = isTrap(error);
    const message = isCrash ? crashMessage(error) : error.message;
    postMessage({ id, error: { message, isCrash, mistakes: error.mistakes ?? null } });
  }
});

/** Decodes the module that is embedded in a single-file page. */
async function decodeModule(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

function crashMessage(error) {
  return (
    `leakgate crashed (${error.message}): it ran out of memory or has a bug. ` +
    'Add the logs again. If it keeps crashing, please report the bug.'
  );
}
