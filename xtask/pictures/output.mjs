// What the pictures show: the reports of leakgate about a small project. It needs no packages, so a
// test can compare it with what the pictures were made from.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const home = resolve(import.meta.dirname, '../..');
const leakgate = process.env.LEAKGATE ?? join(home, 'target/debug/leakgate');
const REPOSITORY = 'octo/sessions';

/** The source file of the annotation. */
export const SOURCE = 'src/sessions.cc';
const LOG = 'logs/sessions.log';

/** Copies the project into a repository. Returns its commit. */
function createRepository(path) {
  cpSync(join(import.meta.dirname, 'project'), path, { recursive: true });
  const run = (...args) =>
    execFileSync('git', args, {
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
  run('init', '--quiet', '--initial-branch', 'sessions');
  run('add', 'src');
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  run(...author, 'commit', '--quiet', '--message', 'Add sessions');
  return run('rev-parse', 'HEAD').trim();
}

/** Runs `leakgate check`, which must fail. Returns what it prints. */
function check(path, args) {
  const env = { PATH: process.env.PATH, HOME: path, COLUMNS: '100' };
  const { status, stdout, stderr } = spawnSync(leakgate, ['check', '--no-config', ...args], {
    cwd: path,
    env,
    encoding: 'utf8',
  });
  if (status !== 1) throw new Error(`leakgate check exited with ${status}, expected 1: ${stderr}`);
  return stdout;
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

/** Runs the action on the log. Returns what it sent to GitHub, and the job summary. */
async function runAction(folder, path, commit) {
  const repo = { id: 1, full_name: REPOSITORY, owner: { login: 'octo' } };
  const pull = {
    number: 7,
    state: 'open',
    html_url: `https://github.com/${REPOSITORY}/pull/7`,
    head: { sha: commit, ref: 'sessions', repo },
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
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe'],
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
      GITHUB_SHA: commit,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_WORKFLOW_REF: `${REPOSITORY}/.github/workflows/memory.yml@refs/pull/7/merge`,
      GITHUB_WORKSPACE: path,
      RUNNER_TEMP: folder,
      LEAKGATE_REPORTS: LOG,
      LEAKGATE_TOKEN: 'ghs_not_a_token',
    },
  });
  let errors = '';
  step.stderr.on('data', (chunk) => (errors += chunk));
  const [status] = await once(step, 'close');
  github.server.close();
  if (status !== 1) throw new Error(`leakgate action exited with ${status}, expected 1: ${errors}`);
  return { ...github.sent, summary: readFileSync(summary, 'utf8') };
}

/**
 * Returns the output for each picture, by the picture's name, and the name of the check run. The
 * annotation is an object of the Checks API.
 */
export async function createOutput() {
  const folder = mkdtempSync(join(tmpdir(), 'leakgate-pictures-'));
  try {
    const path = join(folder, 'sessions');
    const commit = createRepository(path);
    const terminal = check(path, ['--color', 'always', LOG]);
    const html = join(folder, 'report.html');
    check(path, ['--format', `html=${html}`, LOG, 'logs/server.log']);
    const sent = await runAction(folder, path, commit);
    const annotation = sent.annotations.find(({ message }) => message.includes('leaked'));
    return {
      checkRun: sent.checkRun.name,
      shown: {
        annotation,
        comment: sent.comment,
        report: readFileSync(html, 'utf8'),
        summary: sent.summary,
        terminal,
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Returns a checksum of each output, without what differs each time or isn't visible: the version of
 * leakgate, and the number of the run in a comment's marker.
 */
export function checksums(shown) {
  const version = execFileSync(leakgate, ['--version'], { encoding: 'utf8' }).trim().split(' ')[1];
  const checksum = (output) => {
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    const stable = text.replaceAll(version, 'VERSION').replace(/<!-- leakgate-run: .* -->/, '');
    return createHash('sha256').update(stable).digest('hex');
  };
  return Object.fromEntries(Object.entries(shown).map(([name, text]) => [name, checksum(text)]));
}

/** The checksums of what the pictures show. */
export const CHECKSUMS = join(home, 'docs/pictures/checksums.json');
