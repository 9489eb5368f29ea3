// Compares the reports of leakgate with those that the pictures in docs/pictures/ show.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKSUMS, checksums, createOutput, home } from './output.mjs';

const MAX_BYTES = 1_000_000;

test('pictures show the current output', async () => {
  const { shown } = await createOutput();
  const expected = JSON.parse(readFileSync(CHECKSUMS, 'utf8'));
  for (const [name, checksum] of Object.entries(checksums(shown)))
    assert.equal(
      checksum,
      expected[name],
      `docs/pictures/${name}.png is outdated: run \`cargo xtask pictures\``,
    );
});

test('every picture has a checksum, and all are small', () => {
  const folder = join(home, 'docs/pictures');
  const pictures = readdirSync(folder).filter((name) => name.endsWith('.png'));
  const names = Object.keys(JSON.parse(readFileSync(CHECKSUMS, 'utf8')));
  assert.deepEqual(pictures.map((name) => name.replace('.png', '')).sort(), names.sort());
  const bytes = pictures.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
});
