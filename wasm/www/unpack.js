// Files as people have them become streams of bytes with a name: plain, gzip, and GitHub's archives of logs.

import { Gunzip, Unzip, UnzipInflate } from './vendor/fflate.js';

/** An archive within an archive within … is no log. */
const MOST_DEPTH = 4;

const starts = (bytes, ...magic) => magic.every((byte, at) => bytes[at] === byte);
const isGzip = (bytes) => starts(bytes, 0x1f, 0x8b, 8);
const isZip = (bytes) => starts(bytes, 0x50, 0x4b, 3, 4) || starts(bytes, 0x50, 0x4b, 5, 6);

/** Archives that nobody unpacks here: their first bytes, and their name. */
const OTHERS = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0x37, 0x7a, 0xbc, 0xaf], '7-Zip'],
  [[0x52, 0x61, 0x72, 0x21], 'RAR'],
];

/** By so many bytes it is known what a file is. */
const MAGIC = 6;

/**
 * Takes the bytes of one file, whatever it is, and hands plain bytes on: `sink.begin(name, source, isPlain)` comes before the bytes of
 * each log, `sink.bytes(chunk)` with them. A log of an archive has the archive as its source.
 */
export class Unpacker {
  constructor(name, sink, source = undefined, depth = 0) {
    Object.assign(this, { name, sink, source, depth });
    this.head = new Uint8Array(0);
    this.to = null;
  }

  push(chunk, last) {
    if (this.to) {
      this.to(chunk, last);
      return;
    }
    this.head = joined(this.head, chunk);
    if (this.head.length < MAGIC && !last) return;
    this.to = this.open(this.head);
    this.to(this.head, last);
  }

  open(first) {
    const other = OTHERS.find(([magic]) => starts(first, ...magic));
    if (other) throw new Error(`leakgate does not unpack ${other[1]}; unpack it first`);
    const isPacked = isGzip(first) || isZip(first);
    if (isPacked && this.depth >= MOST_DEPTH) throw new Error('archives lie too deep in one another');
    if (isGzip(first)) return this.gunzip();
    if (isZip(first)) return this.unzip();
    this.sink.begin(this.name, this.source, this.depth === 0);
    return (chunk) => chunk.length && this.sink.bytes(chunk);
  }

  gunzip() {
    const inner = new Unpacker(this.name, this.sink, this.source, this.depth + 1);
    let isDone = false;
    const gunzip = new Gunzip((chunk, last) => {
      isDone = last;
      inner.push(chunk, last);
    });
    return (chunk, last) => {
      gunzip.push(chunk, last);
      if (last && !isDone) throw new Error('the gzip file is cut off');
    };
  }

  unzip() {
    let open = 0;
    const unzip = new Unzip((member) => {
      if (member.name.endsWith('/')) return;
      open += 1;
      const inner = new Unpacker(`${this.name}/${member.name}`, this.sink, this.source ?? this.name, this.depth + 1);
      member.ondata = (error, chunk, last) => {
        if (error) throw error;
        inner.push(chunk, last);
        if (last) open -= 1;
      };
      member.start();
    });
    unzip.register(UnzipInflate);
    return (chunk, last) => {
      unzip.push(chunk, last);
      if (last && open) throw new Error('the zip file is cut off');
    };
  }
}

function joined(head, rest) {
  if (!head.length) return rest;
  const all = new Uint8Array(head.length + rest.length);
  all.set(head);
  all.set(rest, head.length);
  return all;
}
