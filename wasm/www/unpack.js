// Turns the user's files into named streams of bytes: plain files, gzip, and zip archives such as
// GitHub's log archives.

import { Gunzip, Unzip, UnzipInflate } from './vendor/fflate.js';

/** Maximum nesting of archives. */
const MAX_DEPTH = 4;

const startsWith = (bytes, ...magic) => magic.every((byte, at) => bytes[at] === byte);
const isGzip = (bytes) => startsWith(bytes, 0x1f, 0x8b, 8);
const isZip = (bytes) => startsWith(bytes, 0x50, 0x4b, 3, 4) || startsWith(bytes, 0x50, 0x4b, 5, 6);

/** Unsupported archive formats: their first bytes, and their name. */
const UNSUPPORTED = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0x37, 0x7a, 0xbc, 0xaf], '7-Zip'],
  [[0x52, 0x61, 0x72, 0x21], 'RAR'],
];

/** Number of bytes that identify every format. */
const MAGIC = 6;

/**
 * Unpacks the bytes of one file and passes plain bytes on. `sink.begin(name, source, isPlain)` is
 * called before the bytes of each log, and `sink.bytes(chunk)` for its bytes. The source of a log
 * in an archive is the archive.
 */
export class Unpacker {
  constructor(name, sink, source = undefined, depth = 0) {
    Object.assign(this, { name, sink, source, depth });
    this.head = new Uint8Array(0);
    this.target = null;
  }

  push(chunk, isLast) {
    if (this.target) {
      this.target(chunk, isLast);
      return;
    }
    this.head = concat(this.head, chunk);
    if (this.head.length < MAGIC && !isLast) return;
    this.target = this.open(this.head);
    this.target(this.head, isLast);
  }

  /** Detects the format and returns the function that takes the bytes. */
  open(head) {
    const unsupported = UNSUPPORTED.find(([magic]) => startsWith(head, ...magic));
    if (unsupported) throw new Error(`cannot read ${unsupported[1]} files: unpack them first`);
    const isPacked = isGzip(head) || isZip(head);
    if (isPacked && this.depth >= MAX_DEPTH) throw new Error('archives are nested too deeply');
    if (isGzip(head)) return this.gunzip();
    if (isZip(head)) return this.unzip();
    this.sink.begin(this.name, this.source, this.depth === 0);
    return (chunk) => chunk.length && this.sink.bytes(chunk);
  }

  gunzip() {
    const inner = new Unpacker(this.name, this.sink, this.source, this.depth + 1);
    let isDone = false;
    const gunzip = new Gunzip((chunk, isLast) => {
      isDone = isLast;
      inner.push(chunk, isLast);
    });
    return (chunk, isLast) => {
      gunzip.push(chunk, isLast);
      if (isLast && !isDone) throw new Error('the gzip file is truncated');
    };
  }

  unzip() {
    let openMembers = 0;
    const unzip = new Unzip((member) => {
      if (member.name.endsWith('/')) return;
      openMembers += 1;
      const name = `${this.name}/${member.name}`;
      const inner = new Unpacker(name, this.sink, this.source ?? this.name, this.depth + 1);
      member.ondata = (error, chunk, isLast) => {
        if (error) throw error;
        inner.push(chunk, isLast);
        if (isLast) openMembers -= 1;
      };
      member.start();
    });
    unzip.register(UnzipInflate);
    return (chunk, isLast) => {
      unzip.push(chunk, isLast);
      if (isLast && openMembers) throw new Error('the zip file is truncated');
    };
  }
}

function concat(head, rest) {
  if (!head.length) return rest;
  const all = new Uint8Array(head.length + rest.length);
  all.set(head);
  all.set(rest, head.length);
  return all;
}
