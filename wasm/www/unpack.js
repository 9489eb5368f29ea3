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
    const raw = new Tail(GZIP_TAIL);
    let sum = new Checksum();
    let isDone = false;
    // Checks the member that ends at an offset: its last eight bytes are its CRC and its length.
    const check = (end) => {
      const trailer = raw.before(end, 8);
      if (trailer?.length !== 8) throw new Error('the gzip file is truncated');
      if (number(trailer, 0) !== sum.value() || number(trailer, 4) !== sum.length % 2 ** 32) {
        throw new Error('the gzip file is corrupt');
      }
      sum = new Checksum();
    };
    const gunzip = new Gunzip((chunk, isLast) => {
      isDone = isLast;
      sum.add(chunk);
      inner.push(chunk, isLast);
    });
    gunzip.onmember = check;
    return (chunk, isLast) => {
      raw.push(chunk);
      gunzip.push(chunk, isLast);
      if (isLast && !isDone) throw new Error('the gzip file is truncated');
      if (isLast) check(raw.length);
    };
  }

  unzip() {
    const raw = new Tail(ZIP_TAIL);
    const members = new Map();
    let openMembers = 0;
    const unzip = new Unzip((member) => {
      if (members.has(member.name)) throw new Error('two members of the zip file have the same name');
      const sum = new Checksum();
      members.set(member.name, sum);
      openMembers += 1;
      const name = `${this.name}/${member.name}`;
      const inner = new Unpacker(name, this.sink, this.source ?? this.name, this.depth + 1);
      member.ondata = (error, chunk, isLast) => {
        if (error) throw error;
        sum.add(chunk);
        if (isLast) openMembers -= 1;
        // A directory has a name that ends with `/`, and no content.
        if (sum.length || !member.name.endsWith('/')) inner.push(chunk, isLast);
      };
      member.start();
    });
    unzip.register(UnzipInflate);
    return (chunk, isLast) => {
      raw.push(chunk);
      unzip.push(chunk, isLast);
      if (isLast && openMembers) throw new Error('the zip file is truncated');
      if (isLast) verify(raw.bytes(), members);
    };
  }
}

/** Number of bytes at the end of a gzip file that are kept, apart from the last chunk. */
const GZIP_TAIL = 1 << 16;

/** Number of bytes at the end of a zip file that are kept, for its directory. */
const ZIP_TAIL = 1 << 24;

/** The end of a file that arrives in chunks. */
class Tail {
  constructor(size) {
    Object.assign(this, { size, chunks: [], kept: 0, length: 0 });
  }

  push(chunk) {
    this.chunks.push(chunk);
    this.kept += chunk.length;
    this.length += chunk.length;
    while (this.kept - this.chunks[0].length >= this.size) this.kept -= this.chunks.shift().length;
  }

  /** Returns the kept bytes. */
  bytes() {
    const all = new Uint8Array(this.kept);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Returns `count` bytes before an offset in the file, or fewer if they aren't kept. */
  before(end, count) {
    const at = end - (this.length - this.kept);
    return this.bytes().subarray(Math.max(0, at - count), Math.max(0, at));
  }
}

/** The remainders of all bytes for CRC-32. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The CRC-32 and the length of bytes that arrive in chunks. */
class Checksum {
  constructor() {
    Object.assign(this, { crc: -1, length: 0 });
  }

  add(chunk) {
    let { crc } = this;
    for (let at = 0; at < chunk.length; at++) {
      crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ chunk[at]) & 0xff];
    }
    this.crc = crc;
    this.length += chunk.length;
  }

  value() {
    return ~this.crc >>> 0;
  }
}

/** Returns the number in the four bytes at a position. */
const number = (bytes, at) => bytes.length < at + 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

const short = (bytes, at) => bytes[at] | (bytes[at + 1] << 8);

/** Signatures of zip records (APPNOTE.TXT, 4.3). */
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;

/**
 * Compares the members of a zip file with its directory, which the unpacker doesn't read. `tail` is
 * the end of the file, and `members` has the checksum of each member by its name.
 */
function verify(tail, members) {
  const corrupt = () => new Error('the zip file is corrupt');
  let end = tail.length - 22;
  while (end >= 0 && number(tail, end) !== END) end -= 1;
  if (end < 0) throw new Error('the zip file is truncated');
  let size = number(tail, end + 12);
  if (size === 0xffffffff || short(tail, end + 10) === 0xffff) {
    while (end >= 0 && number(tail, end) !== END_64) end -= 1;
    if (end < 0 || number(tail, end + 44)) throw corrupt();
    size = number(tail, end + 40);
  }
  const listed = new Set();
  let at = end - size;
  if (at < 0) throw new Error('the directory of the zip file is too large: unpack it first');
  while (at < end) {
    if (number(tail, at) !== CENTRAL) throw corrupt();
    const name = tail.subarray(at + 46, at + 46 + short(tail, at + 28));
    const text = short(tail, at + 8) & 0x800
      ? new TextDecoder().decode(name)
      : Array.from(name, (byte) => String.fromCharCode(byte)).join('');
    const sum = members.get(text);
    const length = number(tail, at + 24);
    const isRight = sum?.value() === number(tail, at + 16)
      && (length === 0xffffffff || length === sum.length);
    if (!isRight || listed.has(text)) throw corrupt();
    listed.add(text);
    at += 46 + name.length + short(tail, at + 30) + short(tail, at + 32);
  }
  if (listed.size !== members.size) throw corrupt();
}

function concat(head, rest) {
  if (!head.length) return rest;
  const all = new Uint8Array(head.length + rest.length);
  all.set(head);
  all.set(rest, head.length);
  return all;
}
