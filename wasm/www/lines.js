// Logs are kept as bytes, so that the lines that a finding was read from can be shown.

const PART = 1 << 20;
const LF = 10;

/** So many characters of a line are shown. */
const WIDEST = 2000;

/** A log: its parts, and how many lines end before the end of each. What lies in a file as it is, is not kept a second time. */
class Log {
  constructor(file) {
    this.file = file;
    this.parts = [];
    this.ends = [];
    this.lines = 0;
    this.rest = [];
    [this.at, this.size] = [0, 0];
  }

  push(chunk) {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) this.lines += 1;
    if (!this.file) this.rest.push(chunk.slice());
    this.size += chunk.length;
    if (this.size >= PART) this.close();
  }

  close() {
    if (this.size === 0) return;
    const end = this.at + this.size;
    // The browser may keep a blob outside of memory.
    this.parts.push(this.file ? this.file.slice(this.at, end) : new Blob(this.rest));
    this.ends.push(this.lines);
    [this.rest, this.at, this.size] = [[], end, 0];
  }

  /** Lines from `first` to `last`, both from 1. */
  async between(first, last) {
    this.close();
    const begin = Math.max(0, this.ends.findIndex((end) => end >= first - 1));
    const found = this.ends.findIndex((end) => end >= last);
    const end = found < 0 ? this.parts.length : found + 1;
    const text = await new Blob(this.parts.slice(begin, end)).text();
    const skipped = begin === 0 ? 0 : this.ends[begin - 1];
    const lines = text.split('\n').slice(first - 1 - skipped, last - skipped);
    return lines.map((line) => line.replace(/\r$/, '').slice(0, WIDEST));
  }
}

/** All logs, in the order in which they were read. */
export class Logs {
  constructor() {
    this.all = [];
  }

  /** Begins a log; `file` where that holds it as it is. */
  begin(file) {
    this.all.at(-1)?.close();
    this.all.push(new Log(file));
  }

  push(chunk) {
    this.all.at(-1).push(chunk);
  }

  /** The lines around one: the number of the first, and all of them. */
  async around(input, line, before, after) {
    const log = this.all[input];
    if (!log) return [1, ['The log is not at hand.']];
    const first = Math.max(1, line - before);
    return [first, await log.between(first, line + after)];
  }
}
