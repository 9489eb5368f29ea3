// Keeps the logs as bytes, from which the lines of a finding are shown.

import { visible } from './element.js';

const PART = 1 << 20;
const LF = 10;

/** Maximum number of characters shown per line. */
const MAX_WIDTH = 2000;

/**
 * A log in parts, with the number of lines that end before the end of each part. If the log is an
 * unpacked file, its parts refer to the file instead of copying it.
 */
class Log {
  constructor(file) {
    this.file = file;
    this.parts = [];
    this.ends = [];
    this.lines = 0;
    this.startPart(0);
  }

  startPart(at) {
    this.chunks = [];
    this.at = at;
    this.size = 0;
  }

  push(chunk) {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) this.lines += 1;
    if (!this.file) this.chunks.push(chunk.slice());
    this.size += chunk.length;
    if (this.size >= PART) this.close();
  }

  close() {
    if (this.size === 0) return;
    const end = this.at + this.size;
    // The browser may keep a blob on disk.
    this.parts.push(this.file ? this.file.slice(this.at, end) : new Blob(this.chunks));
    this.ends.push(this.lines);
    this.startPart(end);
  }

  /** Returns the lines from `first` to `last`, both counted from 1. */
  async between(first, last) {
    this.close();
    const begin = Math.max(
      0,
      this.ends.findIndex((end) => end >= first - 1),
    );
    const lastPart = this.ends.findIndex((end) => end >= last);
    const end = lastPart < 0 ? this.parts.length : lastPart + 1;
    const text = await new Blob(this.parts.slice(begin, end)).text();
    const skipped = begin === 0 ? 0 : this.ends[begin - 1];
    const lines = text.split('\n').slice(first - 1 - skipped, last - skipped);
    return lines.map((line) => visible(line.replace(/\r$/, '').slice(0, MAX_WIDTH)));
  }
}

/** All logs, in the order in which they were read. */
export class Logs {
  constructor() {
    this.all = [];
  }

  /** Begins a log. `file` is the log's blob, or null if the log comes from an archive. */
  begin(file) {
    this.all.at(-1)?.close();
    this.all.push(new Log(file));
  }

  push(chunk) {
    this.all.at(-1).push(chunk);
  }

  /** Returns the lines around a line, preceded by the number of the first one. */
  async around(input, line, before, after) {
    const log = this.all[input];
    if (!log) return [1, ['This log is not available.']];
    const first = Math.max(1, line - before);
    return [first, await log.between(first, line + after)];
  }
}
