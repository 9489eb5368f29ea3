// Renders the pictures in docs/pictures/: a terminal, the HTML report, an annotation, a comment and
// a job summary.
//
// Reports on GitHub are shown on a page that resembles GitHub. Run it with `cargo xtask pictures`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AnsiUp } from 'ansi_up';
import { marked } from 'marked';
import { chromium } from 'playwright-core';
import UPNG from 'upng-js';
import { annotationPage, commentPage, summaryPage, terminalPage } from './layout.mjs';
import { CHECKSUMS, SOURCE, checksums, createOutput, home } from './output.mjs';

const MAX_BYTES = 250_000;
const COMMAND = 'leakgate check logs/sessions.log';

/** Returns the style sheets of the fonts, with the fonts inside. */
function fonts() {
  const require = createRequire(import.meta.url);
  const families = [
    ['Inter', 'inter', [400, 600, 700]],
    ['JetBrains Mono', 'jetbrains-mono', [400, 600]],
  ];
  return families.flatMap(([family, name, weights]) =>
    weights.map((weight) => {
      const file = `@fontsource/${name}/files/${name}-latin-${weight}-normal.woff2`;
      const data = readFileSync(require.resolve(file)).toString('base64');
      return `@font-face { font-family: '${family}'; font-weight: ${weight}; ` +
        `src: url(data:font/woff2;base64,${data}); }`;
    }),
  );
}

/** Reduces a PNG image to a palette, which takes a third of the space. */
function reduced(png) {
  const image = UPNG.decode(png.buffer.slice(png.byteOffset, png.byteOffset + png.length));
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 64));
}

/** Converts the escape sequences of a terminal to HTML. */
function renderTerminal(text) {
  const converter = new AnsiUp();
  converter.use_classes = true;
  return converter.ansi_to_html(text);
}

function write(name, png) {
  const path = join(home, 'docs/pictures', `${name}.png`);
  const picture = reduced(png);
  writeFileSync(path, picture);
  console.log(`${path}: ${picture.length} bytes`);
  if (picture.length > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
}

const { shown, checkRun } = await createOutput();
const source = readFileSync(join(import.meta.dirname, 'project', SOURCE), 'utf8').split('\n');
const render = (markdown) => marked.parse(markdown.replace(/^<!--.*?-->\n/, ''));
const pages = {
  annotation: annotationPage({
    path: SOURCE,
    source,
    annotation: shown.annotation,
    name: checkRun,
  }),
  comment: commentPage(render(shown.comment)),
  summary: summaryPage(render(shown.summary)),
  terminal: terminalPage(COMMAND, renderTerminal(shown.terminal)),
};

mkdirSync(join(home, 'docs/pictures'), { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--font-render-hinting=none'],
});
const style = `<style>${fonts().join('\n')}</style>`;
const open = (width) =>
  browser.newPage({
    viewport: { width, height: 600 },
    deviceScaleFactor: 2,
    colorScheme: 'light',
  });
for (const [name, html] of Object.entries(pages)) {
  const tab = await open(900);
  await tab.setContent(`<!doctype html>${style}${html}`);
  await tab.evaluate(() => globalThis.document.fonts.ready);
  write(name, await tab.locator('body > main').screenshot());
  await tab.close();
}

// The HTML report with its first leak open. Its policy allows no other style, so it has the fonts
// of the machine.
const tab = await open(1000);
await tab.setContent(shown.report);
const leak = tab.locator('tr.finding', { hasText: 'leak-definite' }).first();
await leak.locator('button.open').click();
await tab.locator('tr.opened').waitFor();
const stack = await tab.locator('tr.opened ol.stack').first().boundingBox();
const clip = { x: 0, y: 0, width: 1000, height: Math.ceil(stack.y + stack.height) + 6 };
write('report', await tab.screenshot({ clip, fullPage: true }));
await browser.close();
writeFileSync(CHECKSUMS, `${JSON.stringify(checksums(shown), null, 2)}\n`);
