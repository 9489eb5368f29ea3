// Helpers shared by the browser tests.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

export const home = resolve(import.meta.dirname, '../..');
export const leakgate = process.env.LEAKGATE ?? join(home, 'target/debug/leakgate');

/** Directory for screenshots to review by hand, if set. */
export const shots = process.env.LEAKGATE_SHOTS;

/** A temporary directory, removed after the tests. */
export const folder = mkdtempSync(join(tmpdir(), 'leakgate-browser-'));

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export let browser;

before(async () => {
  // Chromium refuses its sandbox as root, as in containers. Only the page under test is opened.
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Asserts that axe finds no accessibility violations. */
export async function accessible(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run());
  const messages = violations.map(
    (v) =>
      `${v.impact} ${v.id}: ${v.nodes
        .slice(0, 3)
        .map((n) => n.html)
        .join(' ')}`,
  );
  assert.deepEqual(messages, []);
}

/** Asserts that the page is no wider than the window. */
export async function fits(tab, name) {
  const wider = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${name}: ${wider} pixels wider than the window`);
}

/** The path of the checker report of a case under snapshots/. */
export const report = (name) => join(home, 'snapshots', name, 'report.txt');

/** A function name that is markup, and a log that contains it. */
export const HOSTILE = '</script><img src=x onerror=alert(1)><b>x</b>&lt';
export const HOSTILE_LOG = [
  '==1==ERROR: LeakSanitizer: detected memory leaks',
  '',
  'Direct leak of 8 byte(s) in 1 object(s) allocated from:',
  `    #0 0x55d0c0ffee00 in ${HOSTILE} /src/<i>a</i>.c:3:5`,
  '    #1 0x55d0c0ffee10 in main /src/a.c:9:1',
  '',
  'SUMMARY: AddressSanitizer: 8 byte(s) leaked in 1 allocation(s).',
  '',
].join('\n');

/** A log with five thousand leaks. */
export function many() {
  const lines = ['==1==ERROR: LeakSanitizer: detected memory leaks', ''];
  let total = 0;
  for (let n = 0; n < 5000; n += 1) {
    total += n + 1;
    lines.push(
      `Direct leak of ${n + 1} byte(s) in 1 object(s) allocated from:`,
      '    #0 0x4c1 in malloc (/a+0x4c1) (BuildId: ab)',
    );
    for (let at = 1; at < 9; at += 1)
      lines.push(
        `    #${at} 0x${(n * 16 + at).toString(16)} in ns::part_${n * (9 - at)}::make(int) ` +
          `/src/file_${n % 50}.cc:${n + at}:3`,
      );
    lines.push('');
  }
  lines.push(`SUMMARY: AddressSanitizer: ${total} byte(s) leaked in 5000 allocation(s).`, '');
  return lines.join('\n');
}
