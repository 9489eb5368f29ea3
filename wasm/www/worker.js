// Reads and judges, away from the page, so that the page never waits.

import init, { Session, merge, packs, version } from './leakgate.js';
import { Logs } from './lines.js';
import { Unpacker } from './unpack.js';

/** What is read from a file at once. */
const CHUNK = 4 << 20;

/** Looks at what was read so far take at most one part of the time in so many, and begin after so many milliseconds. */
const SELDOM = 8;
const FIRST_LOOK = 100;

/** Lines of a log that are shown before a place and after it. */
const BEFORE = 3;
const AFTER = 24;

let ready = null;
let report = null;
let judged = null;
let logs = new Logs();
/** A reading that began later makes an earlier one stop. */
let turn = 0;

/** What a page shows of a judgement. */
const shown = (one) => ({ outcome: one.outcome, notGiven: one.notGiven, ...one.panes() });

/** A fault of the module, after which its memory may hold anything. */
const isFault = (error) => error instanceof WebAssembly.RuntimeError;

/** Looks at a session from time to time. */
class Looks {
  constructor(session, options, told) {
    Object.assign(this, { session, options, told });
    this.next = performance.now() + FIRST_LOOK;
  }

  progress(part, logs) {
    const now = performance.now();
    if (now < this.next) {
      this.told({ part, logs });
      return;
    }
    let view = null;
    let so = null;
    let one = null;
    try {
      so = this.session.peek();
      one = so.judge(this.options);
      view = shown(one);
    } catch (error) {
      // Mistakes in rules are told when all is read.
      if (isFault(error)) throw error;
    } finally {
      one?.free();
      so?.free();
    }
    this.told({ part, logs, view });
    this.next = performance.now() + SELDOM * (performance.now() - now) + FIRST_LOOK;
  }
}

/** A session that knows the formats of a configuration. Mistakes in it are told when what was read is judged. */
function sessionFor(config) {
  try {
    return new Session(config);
  } catch (error) {
    if (isFault(error)) throw error;
    return new Session();
  }
}

/** Reads files into a session; what can't be unpacked is told, and the others are read. */
async function read(files, options, keep, isOvertaken, progress = () => {}) {
  const session = sessionFor(options.config);
  const names = [];
  const failed = [];
  const sink = {
    begin(name, source, isPlain) {
      session.begin(name, source);
      names.push(name);
      keep.begin(isPlain ? open : null);
    },
    bytes(chunk) {
      session.feed(chunk);
      keep.push(chunk);
    },
  };
  const looks = progress(session);
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const taken = new Map();
  let open = null;
  let done = 0;
  for (const { name: given, blob, source } of files) {
    // Two archives of one name are two sources.
    const times = (taken.get(given) ?? 0) + 1;
    taken.set(given, times);
    const name = times > 1 ? `${given} (${times})` : given;
    const unpacker = new Unpacker(name, sink, source);
    open = blob;
    try {
      const from = (at) => blob.slice(at, at + CHUNK).arrayBuffer();
      let next = from(0);
      for (let at = 0; at === 0 || at < blob.size; at += CHUNK) {
        const chunk = new Uint8Array(await next);
        // The browser fetches the next part while this one is read.
        if (at + CHUNK < blob.size) next = from(at + CHUNK);
        if (isOvertaken()) {
          session.free();
          return null;
        }
        unpacker.push(chunk, at + CHUNK >= blob.size);
        looks?.progress((done + at + chunk.length) / Math.max(total, 1), names.length);
      }
    } catch (error) {
      if (isFault(error)) throw error;
      failed.push(`${name}: ${error.message}`);
    }
    done += blob.size;
  }
  return { report: session.finish(), names, failed };
}

const tasks = {
  about: () => ({ version: version(), packs: packs() }),

  /** Reads logs; nothing where a later reading began. */
  async read({ files, options }, told) {
    turn += 1;
    const mine = turn;
    const kept = new Logs();
    const found = await read(files, options, kept, () => mine !== turn, (session) => new Looks(session, options, told));
    if (!found) return null;
    report?.free();
    [report, logs] = [found.report, kept];
    return { names: found.names, failed: found.failed };
  },

  /** Takes the documents of runs in the place of logs. */
  open({ documents }) {
    turn += 1;
    const opened = merge(documents);
    report?.free();
    [report, logs] = [opened, new Logs()];
  },

  judge({ options }) {
    if (!report) return null;
    const next = report.judge(options);
    judged?.free();
    judged = next;
    return shown(judged);
  },

  /** The document of other logs, to compare with. */
  async base({ files, options }) {
    const found = await read(files, options, { begin() {}, push() {} }, () => false, () => null);
    const one = found.report.judge({ silence: 'pass' });
    const text = one.document('json');
    one.free();
    found.report.free();
    if (found.failed.length) throw new Error(found.failed.join('; '));
    return text;
  },

  document: ({ format }) => judged.document(format),

  entry: ({ fingerprint, wording }) => judged.entry(fingerprint, 'toml', wording),

  lines: ({ input, line }) => logs.around(input, line, BEFORE, AFTER),
};

addEventListener('message', async ({ data: { id, task, module, ...rest } }) => {
  ready ??= init(module && { module_or_path: unpacked(module) });
  if (!task) return;
  try {
    await ready;
    postMessage({ id, done: await tasks[task](rest, (told) => postMessage({ id, told })) });
  } catch (error) {
    const isBroken = isFault(error);
    postMessage({ id, failed: { message: isBroken ? broken(error) : error.message, isBroken, mistakes: error.mistakes ?? null } });
  }
});

/** The module as it stands in a page of one file. */
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

function broken(error) {
  return `leakgate broke off (${error.message}): the memory is full, or it has a fault. Put the logs in again; if it comes back, please report it`;
}
