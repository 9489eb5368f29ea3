// Tests the HTML report in a real browser: it opens from disk, makes no requests, and its controls
// work.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
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
  shots,
} from './common.mjs';

/** Writes the HTML report of some logs. The gate may fail. */
function page(name, ...more) {
  const file = join(folder, `${name}.html`);
  try {
    execFileSync(leakgate, ['check', '--no-config', ...more, '--format', `html=${file}`], {
      cwd: home,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    assert.equal(error.status, 1, String(error.stderr));
  }
  return file;
}

/** Opens a page from disk. `faults` collects console messages, errors and other requests. */
async function open(file, options = {}) {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const faults = [];
  tab.on('console', (message) => faults.push(message.text()));
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.on(
    'request',
    (request) => request.url() === String(pathToFileURL(file)) || faults.push(request.url()),
  );
  await tab.goto(String(pathToFileURL(file)));
  await tab.waitForSelector('#app > *');
  return { tab, faults };
}

const mixed = () =>
  page(
    'mixed',
    'snapshots/memcheck/all-leaks-rust/report.txt',
    ...['heap-buffer-overflow-clang19', 'stack-use-after-return-clang19']
      .map((c) => `snapshots/asan/${c}/report.txt`)
      .filter((f) => statSync(join(home, f), { throwIfNoEntry: false })),
  );

const rows = (tab) => tab.locator('tr.finding').count();

test('findings can be filtered, sorted, expanded and copied', async () => {
  const { tab, faults } = await open(mixed());
  const all = await rows(tab);
  assert.ok(all > 8, `${all} rows`);
  assert.match(await tab.textContent('h1'), /^leakgate: fail, \d+ unexpected findings$/);

  await tab.fill('input[type=search]', 'FORGET_VEC');
  await tab.waitForFunction(() => document.querySelectorAll('tr.finding').length === 1);
  await tab.fill('input[type=search]', 'no such function');
  await tab.waitForFunction(() => document.querySelectorAll('tr.finding').length === 0);
  await tab.fill('input[type=search]', '');
  await tab.waitForFunction((n) => document.querySelectorAll('tr.finding').length === n, all);

  await tab.selectOption('select[name=kind]', 'heap-buffer-overflow');
  assert.equal(await rows(tab), 1);
  await tab.selectOption('select[name=kind]', '');

  const bytes = () =>
    tab.$$eval('tr.finding td:nth-child(3)', (cells) =>
      cells.map((c) => Number(c.textContent.replaceAll(',', '') || -1)),
    );
  await tab.click('th.by-bytes button');
  assert.equal(await tab.getAttribute('th.by-bytes', 'aria-sort'), 'descending');
  assert.deepEqual(
    await bytes(),
    (await bytes()).toSorted((a, b) => b - a),
  );
  await tab.click('th.by-bytes button');
  assert.deepEqual(
    await bytes(),
    (await bytes()).toSorted((a, b) => a - b),
  );

  await tab.selectOption('select[name=kind]', 'heap-buffer-overflow');
  await tab.click('button.open');
  assert.match(await tab.textContent('.opened .source'), /sink = opaque\(array\)\[ten\]/);
  assert.match(await tab.textContent('.opened .culprit'), /heap_overflow/);
  assert.match(await tab.textContent('.opened .rule'), /^\[\[allow\]\]\nid = /);
  await tab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await tab.click('.opened .accept button');
  await tab.waitForSelector('.copy-status:text("Copied!")');
  assert.equal(
    await tab.evaluate(() => navigator.clipboard.readText()),
    await tab.textContent('.opened .rule'),
  );
  await tab.click('button.open');
  assert.equal(await tab.locator('.opened').count(), 0);
  assert.deepEqual(faults, []);
  await tab.close();
});

test('the flame graph zooms by mouse and keyboard', async () => {
  const { tab, faults } = await open(mixed());
  await tab.selectOption('select[name=checker]', 'memcheck');
  await tab.waitForSelector('button.part >> text=forget_vec');
  const wide = (name) =>
    tab.$eval(`button.part[aria-label*="${name}"]`, (part) => part.style.width);
  const before = parseFloat(await wide('leaks::forget_vec'));
  await tab.click('button.part[aria-label*="leaks::forget_vec"]');
  assert.equal(await wide('leaks::forget_vec'), '100%');
  assert.ok(before < 60);
  await tab.keyboard.press('Escape');
  assert.equal(parseFloat(await wide('leaks::forget_vec')), before);
  await tab.keyboard.press('ArrowDown');
  const focused = () => tab.evaluate(() => document.activeElement.getAttribute('aria-label'));
  const second = await focused();
  await tab.keyboard.press('ArrowDown');
  assert.notEqual(await focused(), second);
  await tab.keyboard.press('ArrowUp');
  assert.equal(await focused(), second);
  assert.deepEqual(faults, []);
  await tab.close();
});

test('the report is accessible in both themes and on a phone', async () => {
  for (const [name, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 390, height: 800 } },
  })) {
    const { tab, faults } = await open(mixed(), options);
    await tab.click('button.open >> nth=0');
    await tab.waitForSelector('.part');
    await accessible(tab);
    await fits(tab, name);
    if (shots) await tab.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    assert.deepEqual(faults, []);
    await tab.close();
  }
});

test('markup in logs stays text', async () => {
  const log = join(folder, 'hostile.log');
  writeFileSync(log, HOSTILE_LOG);
  const { tab, faults } = await open(page('hostile', log));
  tab.on('dialog', (dialog) => faults.push(dialog.message()));
  await tab.click('button.open');
  assert.equal(await tab.textContent('.opened .culprit .name'), HOSTILE);
  assert.equal(await tab.locator('img, b b, i').count(), 0);
  assert.deepEqual(faults, []);
  await tab.close();
});

test('thousands of findings make a small and responsive report', async () => {
  const log = join(folder, 'many.log');
  writeFileSync(log, many());
  const file = page('many', log);
  assert.ok(statSync(file).size < 3_000_000, `${statSync(file).size} bytes`);
  const { tab, faults } = await open(file);
  assert.match(
    await tab.textContent('#app > .status'),
    /^5,000 of 5,000 findings, 12,502,500 bytes$/,
  );
  assert.equal(await rows(tab), 100);
  await tab.click('button.more');
  assert.ok((await rows(tab)) >= 200);
  await tab.fill('input[type=search]', 'part_4321::');
  await tab.waitForFunction(() => document.querySelectorAll('tr.finding').length < 20);
  assert.deepEqual(faults, []);
  await tab.close();
});

test('a clean run has no findings', async () => {
  const { tab, faults } = await open(page('clean', 'snapshots/memcheck/clean/report.txt'));
  assert.equal(await tab.textContent('h1'), 'leakgate: pass');
  assert.equal(await tab.textContent('#app'), 'No findings');
  await accessible(tab);
  assert.deepEqual(faults, []);
  await tab.close();
});
