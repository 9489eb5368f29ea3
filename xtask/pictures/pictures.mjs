// Renders the pictures in docs/pictures/: an annotation, a comment and a job summary.
//
// `leakgate action` runs a small program under memcheck and reports to a fake GitHub. The pictures
// show what it sent, on a page that resembles GitHub. Run it with `cargo xtask pictures`.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { marked } from 'marked';
import { chromium } from 'playwright-core';
import UPNG from 'upng-js';
import { annotationPage, commentPage, summaryPage } from './layout.mjs';

const home = resolve(import.meta.dirname, '../..');
const leakgate = process.env.LEAKGATE ?? join(home, 'target/debug/leakgate');
const folder = mkdtempSync(join(tmpdir(), 'leakgate-pictures-'));
const SOURCE = 'src/sessions.cc';
const REPOSITORY = 'octo/sessions';
const MAX_BYTES = 150_000;

/** Creates a repository with a program that has two bugs. Returns its path and its commit. */
function createProject() {
  const path = join(folder, 'sessions');
  mkdirSync(join(path, 'src'), { recursive: true });
  copyFileSync(join(import.meta.dirname, 'sessions.cc'), join(path, SOURCE));
  writeFileSync(join(path, '.gitignore'), 'tests\n');
  const run = (program, ...args) =>
    execFileSync(program, args, {
      cwd: path,
      encoding: 'utf8',
      env: {
        ...process.env,
        // The same commit, each time.
        GIT_AUTHOR_DATE: '2026-11-30T12:00:00Z',
        GIT_COMMITTER_DATE: '2026-11-30T12:00:00Z',
        GIT_CONFIG_GLOBAL: '/dev/null',
      },
    });
  run('git', 'init', '--quiet', '--initial-branch', 'sessions');
  run('git', 'add', '--all');
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  run('git', ...author, 'commit', '--quiet', '--message', 'Add sessions');
  run('c++', '-g', '-O0', SOURCE, '-o', 'tests');
  return { path, commit: run('git', 'rev-parse', 'HEAD').trim() };
}

/** Answers the requests of `leakgate action`, and records what it sends. */
async function startGithub(pull) {
  const sent = { annotations: [] };
  const responses = (method, path, body) => {
    if (method === 'POST' && path.endsWith('/comments')) {
      sent.comment = body.body;
      return { id: 1, html_url: `${pull.html_url}#issuecomment-1`, body: body.body };
    }
    if (method === 'POST' && path.endsWith('/check-runs')) sent.checkRun = body;
    if (method === 'PATCH' && path.includes('/check-runs/'))
      sent.annotations.push(...(body.output?.annotations ?? []));
    if (path.includes('/check-runs'))
      return { id: 1, name: '', output: { annotations_count: 0 }, check_runs: [], total_count: 0 };
    if (path.endsWith('/comments')) return [];
    if (path.endsWith('/pulls')) return [pull];
    if (path.endsWith('/artifacts')) return { artifacts: [], total_count: 0 };
    return {};
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const path = new URL(request.url, 'http://localhost').pathname;
    const body = responses(request.method, path, text ? JSON.parse(text) : {});
    const status = request.method === 'POST' ? 201 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { sent, server, address: `http://127.0.0.1:${server.address().port}` };
}

/** Runs the action on the project. Returns what it sent to GitHub, and the job summary. */
async function report(project) {
  const repo = { id: 1, full_name: REPOSITORY, owner: { login: 'octo' } };
  const pull = {
    number: 7,
    state: 'open',
    html_url: `https://github.com/${REPOSITORY}/pull/7`,
    head: { sha: project.commit, ref: 'sessions', repo },
    base: { sha: '0'.repeat(40), ref: 'main', repo },
  };
  const event = join(folder, 'event.json');
  const repository = { ...repo, name: 'sessions', default_branch: 'main' };
  writeFileSync(event, JSON.stringify({ number: 7, repository, pull_request: pull }));
  const [summary, outputs] = ['summary', 'outputs'].map((name) => join(folder, name));
  writeFileSync(summary, '');
  writeFileSync(outputs, '');
  const github = await startGithub(pull);
  const step = spawn(leakgate, ['action'], {
    cwd: project.path,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      HOME: folder,
      PATH: process.env.PATH,
      GITHUB_ACTIONS: 'true',
      GITHUB_API_URL: github.address,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: event,
      GITHUB_JOB: 'test',
      GITHUB_OUTPUT: outputs,
      GITHUB_REPOSITORY: REPOSITORY,
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: '4711',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: project.commit,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_WORKFLOW_REF: `${REPOSITORY}/.github/workflows/memory.yml@refs/pull/7/merge`,
      GITHUB_WORKSPACE: project.path,
      RUNNER_TEMP: folder,
      LEAKGATE_RUN: './tests',
      LEAKGATE_TOOL: 'memcheck',
      LEAKGATE_TOKEN: 'ghs_not_a_token',
    },
  });
  const [status] = await once(step, 'exit');
  github.server.close();
  if (status !== 1) throw new Error(`leakgate action exited with ${status}, expected 1`);
  return { ...github.sent, summary: readFileSync(summary, 'utf8') };
}

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

const project = createProject();
const sent = await report(project);
const source = readFileSync(join(project.path, SOURCE), 'utf8').split('\n');
const leak = sent.annotations.find((annotation) => annotation.message.includes('leaked'));
const render = (markdown) => marked.parse(markdown.replace(/^<!--.*?-->\n/, ''));
const name = sent.checkRun.name;
const pages = {
  annotation: annotationPage({ path: SOURCE, source, annotation: leak, name }),
  comment: commentPage(render(sent.comment)),
  summary: summaryPage(render(sent.summary)),
};

mkdirSync(join(home, 'docs/pictures'), { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--font-render-hinting=none'],
});
for (const [file, html] of Object.entries(pages)) {
  const tab = await browser.newPage({
    viewport: { width: 900, height: 600 },
    deviceScaleFactor: 2,
  });
  await tab.setContent(`<!doctype html><style>${fonts().join('\n')}</style>${html}`);
  await tab.evaluate(() => globalThis.document.fonts.ready);
  const path = join(home, 'docs/pictures', `${file}.png`);
  const picture = reduced(await tab.locator('body > main').screenshot());
  writeFileSync(path, picture);
  console.log(`${path}: ${picture.length} bytes`);
  if (picture.length > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
  await tab.close();
}
await browser.close();
rmSync(folder, { recursive: true });
