// Tests the page that checks pasted logs in a real browser, both served and as a single file. Every
// request to another origin fails the test.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { crc32, deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import {
  HOSTILE,
  HOSTILE_LOG,
  accessible,
  browser,
  fits,
  folder,
  home,
  leakgate,
  many,
  report,
  shots,
} from './common.mjs';

const PAGE = join(home, 'target/page');
const SINGLE = String(pathToFileURL(join(home, 'target/page/leakgate.html')));
const TYPES = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
  svg: 'image/svg+xml',
};

const server = createServer((request, response) => {
  const path = request.url.split('?')[0];
  try {
    const body = readFileSync(join(PAGE, path.endsWith('/') ? `${path}index.html` : path));
    response
      .writeHead(200, { 'content-type': TYPES[path.split('.').pop()] ?? 'text/html' })
      .end(body);
  } catch {
    response.writeHead(404).end();
  }
});
let SERVED;
before(async () => {
  await new Promise((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  SERVED = `http://127.0.0.1:${server.address().port}/`;
});
after(() => server.close());

/** Opens the page. `faults` collects console messages, errors, dialogs and requests to others. */
async function open(options = {}, address = SERVED) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
    ...options,
  });
  const tab = await context.newPage();
  const faults = [];
  tab.on(
    'console',
    (message) =>
      message.text().startsWith('Service Worker registration blocked') ||
      // Chromium doesn't know this directive.
      message.text().includes("directive 'webrtc'") ||
      faults.push(message.text()),
  );
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.on('dialog', (dialog) => faults.push(dialog.message()));
  context.on('request', (request) => {
    const own =
      request.url().startsWith(SERVED) ||
      request.url().startsWith(SINGLE) ||
      /^(blob|data):/.test(request.url());
    if (!own) faults.push(request.url());
  });
  await tab.addInitScript(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) =>
      globalThis.tasks.push(...list.getEntries().map((e) => Math.round(e.duration))),
    ).observe({ type: 'longtask' });
  });
  await tab.goto(address);
  await tab.waitForSelector('html[data-ready]', { state: 'attached' });
  return { tab, faults, done: () => finish(tab, faults) };
}

async function finish(tab, faults) {
  assert.deepEqual(faults, []);
  await tab.context().close();
}

const text = (name) => readFileSync(report(name), 'utf8');
const rows = (tab) => tab.locator('tr.finding').count();
const title = async (tab, wanted) => {
  await tab.waitForFunction(
    (w) => new RegExp(w).test(document.getElementById('result-title').textContent),
    wanted.source,
  );
};
const put = (tab, name, bytes, input = '#files') =>
  tab.setInputFiles(input, {
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(bytes),
  });
const picture = async (tab, name) =>
  shots && tab.screenshot({ path: join(shots, `${name}.png`), fullPage: true });

/** Prints long tasks, which block the user. Timing on a shared machine is too noisy to assert. */
async function longest(tab) {
  const tasks = await tab.evaluate(() => globalThis.tasks.filter((ms) => ms > 50));
  console.log(tasks.length ? `tasks over 50 ms: ${tasks.join(', ')}` : 'no task over 50 ms');
}

/** A buffer with little-endian numbers, each with its offset and its length in bytes. */
function numbers(size, all) {
  const bytes = Buffer.alloc(size);
  for (const [at, length, value] of all) bytes.writeUIntLE(value, at, length);
  return bytes;
}

/** A zip archive as GitHub creates them: streamed, with the sizes after each member. */
function zip(members) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, body] of members) {
    const packed = deflateRawSync(body);
    // Version, flag for sizes after the member, deflate; and the length of the name.
    const common = (from) => [
      [from, 2, 20],
      [from + 2, 2, 8],
      [from + 4, 2, 8],
      [from + 22, 2, name.length],
    ];
    const sizes = (from) => [
      [from - 4, 4, crc32(body)],
      [from, 4, packed.length],
      [from + 4, 4, Buffer.byteLength(body)],
    ];
    const head = numbers(30, [[0, 4, 0x04034b50], ...common(4)]);
    const tail = numbers(16, [[0, 4, 0x08074b50], ...sizes(8)]);
    const entry = numbers(46, [[0, 4, 0x02014b50], ...common(6), ...sizes(20), [42, 4, at]]);
    const member = [head, Buffer.from(name), packed, tail];
    parts.push(...member);
    directory.push(entry, Buffer.from(name));
    at += Buffer.concat(member).length;
  }
  const { length } = Buffer.concat(directory);
  const end = numbers(22, [
    [0, 4, 0x06054b50],
    [8, 2, members.length],
    [10, 2, members.length],
    [12, 4, length],
    [16, 4, at],
  ]);
  return Buffer.concat([...parts, ...directory, end]);
}

test('accepting a finding of a pasted log updates the verdict', async () => {
  const { tab, done } = await open();
  assert.match(await tab.textContent('.privacy'), /Nothing leaves this page/);
  await tab.fill('#paste', text('lsan/direct-clang19'));
  await title(tab, /^fail, 1 unexpected finding$/);
  assert.equal(await rows(tab), 1);
  await tab.click('button.open');
  await tab.waitForSelector('.log .here');
  assert.match(await tab.textContent('.log .here'), /Direct leak of 1337 byte\(s\)/);
  await tab.click('button.accept');
  await title(tab, /^pass$/);
  const rule = await tab.inputValue('#rules');
  assert.match(rule, /^\[\[allow\]\]\nid = "leak-in-direct"\n/);
  assert.match(
    rule,
    /reason = "not looked into yet"\nstatus = "to-fix"\nadded = \d{4}-\d\d-\d\d\n/,
  );
  assert.match(await tab.textContent('.state.allowed'), /1 allowed/);

  await tab.fill('#rules', '');
  await title(tab, /^fail, 1 unexpected finding$/);
  await tab.fill('#paste', text('memcheck/clean'));
  await title(tab, /^pass$/);
  await tab.fill('#paste', 'all tests passed\n');
  await title(tab, /^fail, not proven clean$/);
  await tab.check('#silence');
  await title(tab, /^pass$/);
  await tab.click('#clear');
  assert.equal(await tab.isVisible('#result'), false);
  await done();
});

/** Waits until the findings, which follow the verdict, contain a text. */
const shows = (tab, wanted) =>
  tab.waitForFunction(
    (part) => document.getElementById('findings').textContent.includes(part),
    wanted,
  );

/** Opens the page without its offline copy, and records the paths of requested files. */
async function openRecorded() {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const paths = [];
  context.on('request', (request) => paths.push(request.url().slice(SERVED.length)));
  const tab = await context.newPage();
  await tab.goto(SERVED);
  await tab.waitForSelector('html[data-ready]', { state: 'attached' });
  const isFull = () => paths.some((path) => path.startsWith('full/'));
  return { tab, paths, isFull, done: () => context.close() };
}

test('the first view loads little', async () => {
  const { tab, paths, done } = await openRecorded();
  await tab.waitForLoadState('networkidle');
  const size = (path) => gzipSync(readFileSync(join(PAGE, path || 'index.html')), { level: 9 }).length;
  const sizes = new Map(paths.map((path) => [path, size(path)]));
  assert.ok(sizes.get('leakgate_bg.wasm') <= 420_000, sizes.get('leakgate_bg.wasm'));
  assert.ok([...sizes.values()].reduce((sum, each) => sum + each) <= 500_000);
  assert.ok(!paths.some((path) => path.startsWith('full/')), paths.join(' '));
  await done();
});

test('logs without rules need only the first module', async () => {
  const { tab, isFull, done } = await openRecorded();
  await tab.fill('#paste', text('lsan/many-places-clang19'));
  await title(tab, /^fail, \d unexpected findings$/);
  await tab.click('button.open >> nth=0');
  await tab.waitForSelector('.log .here');
  await tab.check('#silence');
  await put(tab, 'logs.zip', zip([['a.txt', text('memcheck/definite')]]));
  await title(tab, /^fail, \d unexpected findings$/);
  await tab.click('#clear');
  await put(tab, 'a.xml', readFileSync(join(home, 'snapshots/memcheck-xml/mixed-327/report.xml')));
  await title(tab, /^fail/);
  assert.equal(isFull(), false);
  await done();
});

test('mangled names, rules, runs and other formats load the full module', async () => {
  const log = text('lsan/direct-clang19');
  const allow = (stack) =>
    `[[allow]]\nid = "a"\nkinds = ["leaks"]\nstack = ["runtime...", "${stack}"]\nreason = "x"\n`;
  const download = async (tab, label) => {
    const started = tab.waitForEvent('download');
    await tab.click(`#downloads button:text-is("${label}")`);
    return readFileSync(await (await started).path(), 'utf8');
  };
  writeFileSync(join(folder, 'report.txt'), log);
  const native = (format) => {
    const options = ['check', '--no-config', '--format', format, 'report.txt'];
    return spawnSync(leakgate, options, { cwd: folder, encoding: 'utf8' }).stdout;
  };
  const mangled = log.replaceAll(' in direct ', ' in _ZN3app6directEi ');
  const uses = {
    'a mangled name': async (tab) => {
      await tab.fill('#paste', mangled);
      await title(tab, /^fail, 1 unexpected finding$/);
      await shows(tab, 'app::direct');
    },
    'a mangled name in an archive': async (tab) => {
      await put(tab, 'logs.zip', zip([['a.log.gz', gzipSync(mangled)]]));
      await title(tab, /^fail, 1 unexpected finding$/);
      await shows(tab, 'app::direct');
    },
    'a mangled name after findings without one': async (tab) => {
      const noise = 'a line of a build\n'.repeat(1_500_000);
      await put(tab, 'a.log', `${log}${noise}${mangled}`);
      await title(tab, /^fail, 2 unexpected findings$/);
      await shows(tab, 'app::direct');
    },
    'a custom format': async (tab) => {
      await tab.fill('#rules', '[[format]]\nname = "own"\npattern = "LEAKED (?<bytes>\\\\d+)"\n');
      await tab.fill('#paste', 'LEAKED 12\n');
      await title(tab, /^fail, 1 unexpected finding$/);
      await shows(tab, 'custom:own');
    },
    'a regular expression': async (tab) => {
      await tab.fill('#paste', log);
      await title(tab, /^fail, 1 unexpected finding$/);
      await tab.fill('#rules', allow('re:^dir.ct$'));
      await title(tab, /^pass$/);
    },
    'a rule that matches nothing': async (tab) => {
      await tab.fill('#rules', allow('fun:other'));
      await tab.fill('#paste', log);
      await title(tab, /^fail, 1 unexpected finding$/);
      assert.match(await tab.textContent('#lists'), /unused/);
    },
    'an accepted finding': async (tab) => {
      await put(tab, 'a.log', log);
      await title(tab, /^fail, 1 unexpected finding$/);
      await tab.click('button.open');
      await tab.click('button.accept');
      await title(tab, /^pass$/);
    },
    'a JSON report': async (tab) => {
      await put(tab, 'run.json', native('json'));
      await title(tab, /^fail, 1 unexpected finding$/);
      await shows(tab, 'direct');
    },
    'an earlier log': async (tab) => {
      await put(tab, 'new.log', log);
      await title(tab, /^fail, 1 unexpected finding$/);
      await tab.click('summary >> text=Compare with an earlier log');
      await put(tab, 'old.log', text('memcheck/clean'), '#base-files');
      await tab.waitForSelector('tr.finding .state.new');
    },
  };
  for (const [label, format] of [
    ['JSON', 'json'],
    ['SARIF', 'sarif'],
    ['HTML', 'html'],
    ['Markdown', 'markdown'],
  ]) {
    uses[`the format ${label}`] = async (tab) => {
      await put(tab, 'report.txt', log);
      await title(tab, /^fail, 1 unexpected finding$/);
      assert.equal(await download(tab, label), native(format));
    };
  }
  for (const [subject, use] of Object.entries(uses)) {
    const { tab, isFull, done } = await openRecorded();
    assert.equal(isFull(), false, subject);
    await use(tab);
    assert.equal(isFull(), true, subject);
    await done();
  }
});

test('without a connection, the page says that it cannot load the full module', async () => {
  const { tab, done } = await openRecorded();
  await put(tab, 'a.log', text('lsan/direct-clang19'));
  await title(tab, /^fail, 1 unexpected finding$/);
  await tab.context().route('**/full/**', (route) => route.abort());
  await tab.fill('#rules', '[gate]\nfail-on = ["errors"]\n');
  await title(tab, /^Something went wrong$/);
  assert.match(await tab.textContent('#reasons'), /cannot start the worker/);
  await tab.context().unroute('**/full/**');
  await put(tab, 'b.log', text('memcheck/clean'));
  await title(tab, /^pass$/);
  await done();
});

test('errors in rules are shown at their lines and block the verdict', async () => {
  const { tab, done } = await open();
  await tab.fill('#paste', text('lsan/direct-clang19'));
  await title(tab, /^fail/);
  await tab.fill('#rules', '# ünï 😀\n[gate]\nsilnce = "pass"\n');
  await title(tab, /^Invalid rules$/);
  assert.equal(await rows(tab), 0);
  assert.match(
    await tab.textContent('#errors'),
    /leakgate\.toml:3.*silnce.*did you mean `silence`\?/s,
  );
  assert.equal(await tab.textContent('#gutter .bad'), '3\n');
  assert.equal(await tab.isVisible('#exports'), false);
  await tab.click('#errors button');
  const selected = await tab.$eval('#rules', (box) =>
    box.value.slice(box.selectionStart, box.selectionEnd),
  );
  assert.equal(selected, 'silnce');

  await tab.fill('#rules', '');
  await title(tab, /^fail/);
  await tab.click('#new-rules');
  await tab.fill('#rules', 'leak:direct\nlaek:x\n');
  await title(tab, /^Invalid rules$/);
  assert.match(await tab.textContent('#errors'), /suppressions\.supp:2/);
  await tab.fill('#rules', 'leak:direct\n');
  await title(tab, /^pass$/);
  await tab.click('#tabs .remove');
  await title(tab, /^fail/);
  await put(tab, 'known.supp', 'leak:direct\n', '#rules-files');
  await title(tab, /^pass$/);
  await done();
});

test('changing a custom format reads the logs again', async () => {
  const { tab, done } = await open();
  await tab.fill('#paste', 'started\n[TRACE] MEMORY LEAK at db_query: allocs=5, frees=3\n');
  await title(tab, /^fail, not proven clean$/);
  const format = (when) => `[[format]]
name = "trace"
pattern = 'MEMORY LEAK at (?<function>\\w+): allocs=(?<allocs>\\d+), frees=(?<frees>\\d+)'
when = "${when}"
`;
  await tab.fill('#rules', format('allocs != frees'));
  await title(tab, /^fail, 1 unexpected finding$/);
  assert.match(await tab.textContent('#findings'), /db_query/);
  await tab.fill('#rules', format('allocs < frees'));
  await title(tab, /^pass$/);
  await tab.fill('#rules', format('alocs < frees'));
  await title(tab, /^Invalid rules$/);
  await tab.fill('#rules', '');
  await title(tab, /^fail, not proven clean$/);
  await done();
});

test('files, folders and archives are detected and read', async () => {
  const { tab, done } = await open();
  const [one, two] = [text('lsan/direct-clang19'), text('memcheck/definite')];
  await put(
    tab,
    'run.log.gz',
    Buffer.concat([gzipSync(one.slice(0, 200)), gzipSync(one.slice(200))]),
  );
  await title(tab, /^fail, 1 unexpected finding$/);
  await put(
    tab,
    'logs.zip',
    zip([
      ['1_Set up.txt', 'ready\n'],
      ['test/2_valgrind.txt', two],
      ['inner.zip', zip([['a.txt', 'built\n']])],
    ]),
  );
  await title(tab, /^fail, 2 unexpected findings$/);
  assert.doesNotMatch(await tab.textContent('#reasons'), /no-evidence/);
  assert.match(await tab.innerHTML('#lists'), /logs\.zip\/test\/2_valgrind\.txt/);
  assert.match(await tab.innerHTML('#lists'), /logs\.zip\/inner\.zip\/a\.txt/);
  await tab.click('[aria-label="Remove run.log.gz"]');
  await title(tab, /^fail, 1 unexpected finding$/);
  await tab.click('#clear');

  const logs = join(folder, 'logs');
  mkdirSync(join(logs, 'deep'), { recursive: true });
  writeFileSync(join(logs, 'build.txt'), 'built\n');
  writeFileSync(join(logs, 'deep/test.txt'), two);
  await tab.setInputFiles('#folder', logs);
  await title(tab, /^fail, 1 unexpected finding$/);
  assert.doesNotMatch(await tab.textContent('#reasons'), /no-evidence/);
  assert.match(await tab.innerHTML('#lists'), /logs\/deep\/test\.txt/);
  await tab.click('#clear');

  const drop = await tab.evaluateHandle(
    ([log, rules]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([log], 'a.log'));
      transfer.items.add(new File([rules], 'lsan.supp'));
      return transfer;
    },
    [one, 'leak:direct\n'],
  );
  await tab.dispatchEvent('body', 'drop', { dataTransfer: drop });
  await title(tab, /^pass$/);
  await done();
});

test('each archive needs checker output, even if names repeat', async () => {
  const { tab, done } = await open();
  await put(tab, 'logs.zip', zip([['a.txt', text('memcheck/clean')]]));
  await title(tab, /^pass$/);
  await put(tab, 'logs.zip', zip([['a.txt', 'built\n']]));
  await title(tab, /^fail, not proven clean$/);
  assert.match(await tab.textContent('#reasons'), /no checker output in logs\.zip \(2\)/);
  await done();
});

test('a log removed while it is read does not come back', async () => {
  const { tab, done } = await open();
  const log = join(folder, 'some.log');
  writeFileSync(log, `${'a line of a build\n'.repeat(3_000_000)}${text('memcheck/clean')}`);
  await tab.setInputFiles('#files', log);
  await tab.click('#clear');
  await tab.waitForTimeout(1500);
  assert.equal(await tab.isVisible('#result'), false);
  assert.equal(await tab.isVisible('#progress'), false);
  await tab.setInputFiles('#files', log);
  await put(tab, 'bad.log', text('lsan/direct-clang19'));
  await title(tab, /^fail, 1 unexpected finding$/);
  await done();
});

test('a crashed module is replaced', async () => {
  const { tab, done } = await open({ serviceWorkers: 'block' });
  await put(tab, 'a.log', text('memcheck/clean'));
  await title(tab, /^pass$/);
  // Break every write to the memory of a module.
  const broken =
    'Uint8Array.prototype.set = () => { throw new WebAssembly.RuntimeError("unreachable"); };';
  await tab.context().route(
    '**/worker.js',
    async (route) => {
      const whole = await route.fetch();
      await route.fulfill({ response: whole, body: `${broken}\n${await whole.text()}` });
    },
    // The first worker and the full one, which tries the same.
    { times: 2 },
  );
  await tab.reload();
  await tab.waitForSelector('html[data-ready]', { state: 'attached' });
  await put(tab, 'a.log', text('memcheck/clean'));
  await title(tab, /^Something went wrong$/);
  assert.match(await tab.textContent('#reasons'), /leakgate crashed \(unreachable\)/);
  await tab.fill('#rules', '# judge again\n');
  await tab.waitForTimeout(500);
  await title(tab, /^Something went wrong$/);
  await put(tab, 'b.log', text('memcheck/clean'));
  await title(tab, /^pass$/);
  await done();
});

test('an unreadable file never passes', async () => {
  const { tab, done } = await open();
  const clean = Buffer.from(text('memcheck/clean').repeat(40));
  const broken = {
    'cut.gz': [gzipSync(clean).subarray(0, -30), /cut\.gz: /],
    'cut.zip': [zip([['a.txt', clean]]).subarray(0, 60), /cut\.zip: /],
    'a.xz': [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), /a\.xz: cannot read xz files/],
    'bad.gz': [
      Buffer.concat([gzipSync(clean).subarray(0, 20), Buffer.alloc(90, 0x55)]),
      /bad\.gz: /,
    ],
  };
  // One bit of a checksum or a length is wrong.
  const damaged = (bytes, at) => {
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    return bytes;
  };
  const packed = zip([['a.txt', clean]]);
  const entry = packed.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  broken['sum.gz'] = [damaged(gzipSync(clean), -8), /sum\.gz: the gzip file is corrupt/];
  broken['length.gz'] = [damaged(gzipSync(clean), -4), /length\.gz: the gzip file is corrupt/];
  broken['sum.zip'] = [damaged(packed, entry + 16), /sum\.zip: the zip file is corrupt/];
  for (const [name, [bytes, wanted]] of Object.entries(broken)) {
    await put(tab, 'clean.log', text('memcheck/clean'));
    await title(tab, /^pass$/);
    await put(tab, name, bytes);
    await title(tab, /^error: some inputs could not be read$/);
    assert.match(await tab.textContent('#reasons'), wanted);
    await tab.click('#clear');
  }
  await done();
});

test('a member whose name ends like a directory is read if it has content', async () => {
  const { tab, done } = await open();
  const members = [['tests/', ''], ['tests/leak.txt/', text('memcheck/definite')]];
  await put(tab, 'logs.zip', zip(members));
  await title(tab, /^fail, 1 unexpected finding$/);
  await done();
});

test('a large log is read in the background and shows findings early', async () => {
  const log = join(folder, 'large.log');
  const file = openSync(log, 'w');
  const noise = Array.from(
    { length: 20_000 },
    (_, n) => `2026-06-01T10:00:00.${n} INFO worker ${n % 7}: request ${n * 31} took ${n % 900} ms`,
  ).join('\n');
  for (let size = 0, n = 0; size < 100e6; n += 1) {
    size += writeSync(file, `${noise}\n`);
    if (n === 3) writeSync(file, text('lsan/many-places-clang19'));
  }
  writeSync(file, text('memcheck/definite'));
  closeSync(file);
  const { tab, done } = await open();
  await tab.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() =>
      globalThis.seen.push([
        document.getElementById('result-title').textContent,
        document.querySelectorAll('tr.finding').length,
      ]),
    ).observe(document.getElementById('result'), {
      childList: true,
      subtree: true,
      characterData: true,
    });
  });
  const began = Date.now();
  await tab.setInputFiles('#files', log);
  await title(tab, /^fail, \d+ unexpected findings$/);
  console.log(`100 MB in ${Date.now() - began} ms`);
  const seen = await tab.evaluate(() => globalThis.seen);
  const between = seen.filter(([head, count]) => head.startsWith('Reading… ') && count > 0);
  assert.ok(between.length > 0, 'findings are shown while the log is read');
  assert.ok(seen.every(([head]) => !head.startsWith('pass')));
  await tab.fill('input[type=search]', 'known_leak');
  await tab.waitForFunction(() => document.querySelectorAll('tr.finding').length === 1);
  await tab.click('button.open >> nth=0');
  await tab.waitForSelector('.log .here');
  await longest(tab);
  await done();
});

test('thousands of findings scroll and filter smoothly', async () => {
  const { tab, done } = await open();
  const log = join(folder, 'many.log');
  writeFileSync(log, many());
  await tab.setInputFiles('#files', log);
  await title(tab, /^fail, 5,000 unexpected findings$/);
  assert.match(
    await tab.textContent('#findings > .status'),
    /^5,000 of 5,000 findings, 12,502,500 bytes$/,
  );
  assert.ok((await rows(tab)) < 400);
  for (let n = 0; n < 12; n += 1) {
    await tab.mouse.wheel(0, 4000);
    await tab.waitForTimeout(30);
  }
  assert.ok((await rows(tab)) >= 200);
  for (const query of ['p', 'part_43', 'part_4321::', 'nothing', '']) {
    await tab.fill('input[type=search]', query);
    await tab.waitForTimeout(250);
  }
  await tab.click('th.by-function button');
  await tab.waitForTimeout(250);
  await longest(tab);
  await done();
});

test('two logs can be compared', async () => {
  const { tab, done } = await open();
  await put(tab, 'new.log', text('lsan/many-places-clang19'));
  await title(tab, /^fail, \d unexpected findings$/);
  await tab.click('summary >> text=Compare with an earlier log');
  await put(tab, 'old.log', text('lsan/direct-clang19'), '#base-files');
  await tab.waitForFunction(() =>
    document.getElementById('reasons').textContent.includes('Compared with the base run'),
  );
  assert.match(
    await tab.textContent('#reasons'),
    /Compared with the base run: [1-9]\d* new findings, \d grown, \d moved, 1 fixed/,
  );
  assert.equal(await tab.textContent('#base'), 'Compared with old.log.');
  assert.ok((await tab.locator('#lists .state.fixed').count()) === 1);
  await tab.selectOption('select[name=change]', 'new');
  assert.equal(await rows(tab), await tab.locator('tr.finding .state.new').count());
  await tab.click('#clear-base');
  await tab.waitForFunction(
    () => !document.getElementById('reasons').textContent.includes('Compared with the base run'),
  );
  await done();
});

test('the result can be downloaded in every format', async () => {
  const { tab, done } = await open();
  await put(tab, 'asan.log', text('asan/heap-use-after-free-clang19'));
  await title(tab, /^fail/);
  await tab.fill('#rules', '# nothing\n');
  const starts = {
    JSON: ['leakgate.json', /^\{"schema":"leakgate\/v1"/],
    SARIF: ['leakgate.sarif', /"version":\s*"2\.1\.0"/],
    HTML: ['leakgate.html', /^<!doctype html>/],
    Markdown: ['leakgate.md', /heap-use-after-free/],
    Rules: ['leakgate.toml', /^# nothing\n$/],
  };
  for (const [label, [name, wanted]] of Object.entries(starts)) {
    const [download] = await Promise.all([
      tab.waitForEvent('download'),
      tab.click(`#downloads button:text-is("${label}")`),
    ]);
    assert.equal(download.suggestedFilename(), name);
    assert.match(readFileSync(await download.path(), 'utf8'), wanted);
  }
  await done();
});

test('a link contains the report and rules without machine details', async () => {
  const { tab, done } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  const log = text('lsan/many-places-clang19').replaceAll(
    '/tmp/leakgate-snapshots',
    '/home/jane/work',
  );
  await put(tab, 'lsan.log', log);
  await title(tab, /^fail, \d unexpected findings$/);
  await tab.click('button.open >> nth=0');
  await tab.click('button.accept');
  await tab.waitForFunction(() => document.querySelector('.state.allowed'));
  const head = await tab.textContent('#result-title');
  const findings = await tab.$$eval('tr.finding', (all) => all.map((row) => row.textContent));
  await tab.click('#share');
  await tab.waitForSelector('#share-status a');
  assert.match(await tab.textContent('#share-status'), /^Link \(\d+(\.\d)? kB\)/);
  const address = await tab.evaluate(() => navigator.clipboard.readText());
  const packed = Buffer.from(address.split('#r=')[1], 'base64url');
  const inside = inflateRawSync(packed).toString();
  assert.ok(!/jane|0x5555|"pid":\d/.test(inside));
  assert.ok(inside.includes('/home/someone/work/'));

  const other = await open({}, address);
  await title(other.tab, new RegExp(`^${head}$`));
  assert.deepEqual(
    await other.tab.$$eval('tr.finding', (all) => all.map((row) => row.textContent)),
    findings.map((row) => row.replace('jane', 'someone')),
  );
  assert.match(await other.tab.inputValue('#rules'), /^\[\[allow\]\]/);
  assert.match(await other.tab.textContent('#reasons'), /This is a shared report/);
  await other.done();

  await tab.click('#clear');
  await tab.fill('#rules', '');
  await put(tab, 'bare.log', text('lsan/unsymbolized-clang19'));
  await title(tab, /^fail, \d+ unexpected finding/);
  const bare = await tab.textContent('#result-title');
  await tab.click('#share');
  await tab.waitForSelector('#share-status a');
  const third = await open({}, await tab.getAttribute('#share-status a', 'href'));
  await title(third.tab, new RegExp(`^${bare}$`));
  await third.done();

  for (const wrong of ['#r=AAAA', '#r=!', `#r=${Buffer.from('x').toString('base64url')}`]) {
    const tried = await open({}, SERVED + wrong);
    assert.equal(await tried.tab.locator('tr.finding').count(), 0);
    await tried.done();
  }

  await put(tab, 'many.log', many());
  await title(tab, /^fail, 5,0\d\d unexpected findings$/);
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#share')]);
  assert.match(await tab.textContent('#share-status'), /link would be too long .* Share the file/);
  await tab.click('#clear');
  await put(tab, 'leakgate-report.json', readFileSync(await download.path()));
  await title(tab, /^fail, 5,0\d\d unexpected findings$/);
  await done();
});

test('the page works offline after the first visit', async () => {
  const { tab, done } = await open();
  await tab.evaluate(() => navigator.serviceWorker.ready);
  await tab.waitForFunction(() => navigator.serviceWorker.controller);
  await tab.context().setOffline(true);
  await tab.reload();
  await tab.waitForSelector('html[data-ready]', { state: 'attached' });
  await tab.click('#samples button >> nth=0');
  await title(tab, /^fail, 7 unexpected findings$/);
  // This needs the full module.
  await tab.fill('#rules', '[gate]\nsilnce = "pass"\n');
  await title(tab, /^Invalid rules$/);
  await done();
});

test('the page cannot send anything, whatever code runs in it', async () => {
  let hits = 0;
  const others = createServer((request, response) => {
    hits += 1;
    response.end();
  });
  await new Promise((done) => {
    others.listen(0, '127.0.0.1', done);
  });
  const { tab, faults } = await open();
  const tries = await tab.evaluate(async (elsewhere) => {
    const failed = async (work) => {
      try {
        await work();
        return 'went through';
      } catch {
        return 'refused';
      }
    };
    const image = () =>
      new Promise((done, no) => {
        Object.assign(new Image(), { onload: done, onerror: no, src: `${elsewhere}x.png` });
      });
    const code = `onmessage = async () => {
      try {
        await fetch('${elsewhere}');
        postMessage('went through');
      } catch {
        postMessage('refused');
      }
    }`;
    const worker = () =>
      new Promise((done, no) => {
        const made = new Worker(URL.createObjectURL(new Blob([code])));
        made.onmessage = ({ data }) => (data === 'refused' ? no() : done());
        made.onerror = no;
        made.postMessage(0);
      });
    const all = [
      () => fetch(elsewhere),
      image,
      () =>
        new Promise((done, no) => {
          const socket = new WebSocket(elsewhere.replace('http', 'ws'));
          Object.assign(socket, { onopen: done, onerror: no });
        }),
      worker,
      () => import(`${elsewhere}x.js`),
      () => {
        const script = Object.assign(document.createElement('script'), {
          textContent: 'globalThis.ran = true',
        });
        document.head.append(script);
        if (!globalThis.ran) throw new Error('did not run');
      },
    ];
    return Promise.all([
      ...all.map(failed),
      navigator.sendBeacon(elsewhere, 'x') ? 'queued' : 'refused',
    ]);
  }, `http://127.0.0.1:${others.address().port}/`);
  assert.deepEqual(tries.slice(0, 6), Array(6).fill('refused'));
  assert.ok(
    faults.filter((fault) => fault.includes('Content Security Policy')).length >= 6,
    faults.join('\n'),
  );
  assert.equal(hits, 0);
  others.close();
  await tab.context().close();
});

test('markup in logs stays text', async () => {
  const { tab, done } = await open();
  await put(tab, `${HOSTILE.replaceAll('/', '_')}.log`, HOSTILE_LOG);
  await title(tab, /^fail, 1 unexpected finding$/);
  await tab.click('button.open');
  await tab.waitForSelector('.log .here');
  assert.equal(await tab.textContent('.opened .culprit .name'), HOSTILE);
  await tab.fill(
    '#rules',
    '[[allow]]\nid = "<img src=x onerror=alert(2)>"\nstack = ["fun:</script><b>"]\n' +
      'reason = "<b>x</b>"\n',
  );
  await tab.waitForTimeout(600);
  assert.equal(await tab.locator('main img, b b, i, #lists b').count(), 0);
  await done();
});

test('invisible characters in names and logs are shown', async () => {
  const { tab, done } = await open();
  const name = 'a\u202egol.txt';
  await put(tab, name, HOSTILE_LOG.replace('main', 'ma\u202ein\u200b\x1b[8m'));
  await title(tab, /^fail, 1 unexpected finding$/);
  assert.match(await tab.textContent('#inputs'), /^a\\u\{202e\}gol\.txt, /);
  await tab.click('button.open');
  await tab.waitForSelector('.log .here');
  assert.match(await tab.textContent('.log'), /ma\\u\{202e\}in\\u\{200b\}\\u\{1b\}\[8m/);
  await done();
});

test('the page is accessible in both themes, on a phone and at 200%', async () => {
  for (const [name, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 390, height: 800 } },
    zoomed: { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
  })) {
    const { tab, done } = await open(options);
    await accessible(tab);
    await picture(tab, `page-empty-${name}`);
    await tab.click('#samples button:has-text("one accepted")');
    await title(tab, /^fail, \d unexpected findings$/);
    await tab.click('button.open >> nth=0');
    await tab.waitForSelector('.log .here');
    await tab.waitForSelector('.part');
    await accessible(tab);
    await fits(tab, name);
    await picture(tab, `page-${name}`);
    await tab.fill('#rules', 'x');
    await title(tab, /^Invalid rules$/);
    await accessible(tab);
    await fits(tab, name);
    await picture(tab, `page-mistake-${name}`);
    await done();
  }
});

test('the page works with the keyboard alone', async () => {
  const { tab, done } = await open();
  await tab.focus('#samples button >> nth=0');
  await tab.keyboard.press('Enter');
  await title(tab, /^fail, 7/);
  await tab.focus('button.open >> nth=0');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.log .here');
  await tab.focus('button.accept');
  await tab.keyboard.press('Enter');
  await title(tab, /^fail, 6/);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'result');
  await done();
});

test('the single file works from disk and may load nothing', async () => {
  const html = readFileSync(join(home, 'target/page/leakgate.html'), 'utf8');
  const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(html);
  assert.match(policy, /^default-src 'none'; script-src 'sha256-\S+' 'wasm-unsafe-eval'; /);
  assert.match(policy, / style-src 'sha256-\S+'; img-src data:; worker-src blob:;/);
  assert.match(policy, /; webrtc 'block'$/);
  const { tab, done } = await open({ offline: true }, SINGLE);
  await put(tab, 'logs.zip', zip([['a.txt', text('lsan/direct-clang19')]]));
  await title(tab, /^fail, 1 unexpected finding$/);
  await tab.click('button.open');
  await tab.waitForSelector('.log .here');
  await tab.click('button.accept');
  await title(tab, /^pass$/);
  const [download] = await Promise.all([
    tab.waitForEvent('download'),
    tab.click('#downloads button:text-is("JSON")'),
  ]);
  assert.match(readFileSync(await download.path(), 'utf8'), /^\{"schema":"leakgate\/v1"/);
  await accessible(tab);
  await done();
});
