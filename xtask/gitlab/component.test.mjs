// Runs the component for GitLab on a project with a leak, without containers, and with a server in
// place of GitLab's API.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

const repository = join(import.meta.dirname, '..', '..');
const runner = join(import.meta.dirname, 'node_modules', '.bin', 'gitlab-ci-local');
const TOKEN = 'glpat-test';
const NOTES = '/api/v4/projects/7/merge_requests/5/notes';

const LEAK = '#include <stdlib.h>\nint main(void) { malloc(7); return 0; }\n';
const CLEAN = 'int main(void) { return 0; }\n';

let folder;
let server;
let requests;
let notes;

before(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      const { method, url, headers } = request;
      requests.push({ method, url, token: headers['private-token'], body });
      response.end(method === 'GET' ? JSON.stringify(notes) : '{}');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
});

beforeEach(() => {
  requests = [];
  notes = [];
  if (folder) rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'leakgate-gitlab-'));
  mkdirSync(join(folder, 'templates'));
  copyFileSync(join(repository, 'templates/leakgate.yml'), join(folder, 'templates/leakgate.yml'));
  writeFileSync(
    join(folder, '.gitlab-ci.yml'),
    [
      'include:',
      '  - local: templates/leakgate.yml',
      '    inputs:',
      '      packages: ""',
      '      build: cc -g -O0 -o tests tests.c',
      '      command: ./tests',
      '',
    ].join('\n'),
  );
  const git = (...args) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', 'git@gitlab.example.org:group/project.git');
  git('config', 'user.name', 'test');
  git('config', 'user.email', 'test@example.org');
});

after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs the job of the component on a program. Returns its exit status and its log. */
function run(program, variables = {}) {
  writeFileSync(join(folder, 'tests.c'), program);
  execFileSync('git', ['add', '--all'], { cwd: folder });
  execFileSync('git', ['commit', '--quiet', '--message=test'], { cwd: folder });
  const api = `http://127.0.0.1:${server.address().port}/api/v4`;
  const all = { CI_API_V4_URL: api, CI_PROJECT_ID: '7', ...variables };
  const options = Object.entries(all).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
  const path = [join(repository, 'target/debug'), process.env.PATH].join(delimiter);
  const args = ['--force-shell-executor', ...options, 'memory'];
  const settings = { cwd: folder, env: { ...process.env, PATH: path, HOME: folder } };
  return new Promise((done) => {
    execFile(runner, args, settings, (error, out, err) => done([error?.code ?? 0, out + err]));
  });
}

const inMergeRequest = { CI_MERGE_REQUEST_IID: '5', LEAKGATE_TOKEN: TOKEN };

test('a leak fails the job, and the reports are artifacts', async () => {
  const [status, log] = await run(LEAK);
  assert.equal(status, 1, log);
  assert.match(log, /leak-definite 7 bytes in 1 block/);
  const issues = JSON.parse(readFileSync(join(folder, 'gl-code-quality-report.json'), 'utf8'));
  assert.deepEqual(issues[0].location, { path: 'tests.c', lines: { begin: 2 } });
  assert.match(readFileSync(join(folder, 'leakgate.xml'), 'utf8'), /<failure/);
  // Without a token, nothing is sent.
  assert.deepEqual(requests, []);
});

test('a note is written once, updated, and removed when the gate passes', async () => {
  const sent = () => requests.map(({ method, url }) => `${method} ${url}`);
  const [status, log] = await run(LEAK, inMergeRequest);
  assert.equal(status, 1, log);
  assert.ok(!log.includes(TOKEN), log);
  assert.deepEqual(sent(), [`GET ${NOTES}?per_page=100`, `POST ${NOTES}`]);
  const body = new URLSearchParams(requests[1].body).get('body');
  assert.match(body, /^<!-- leakgate: memory -->\n## .*1 unexpected finding/);
  assert.ok(requests.every(({ token }) => token === TOKEN));

  requests = [];
  notes = [{ id: 1, body: 'LGTM' }, { id: 2, body }];
  await run(LEAK + '\n', inMergeRequest);
  assert.deepEqual(sent(), [`GET ${NOTES}?per_page=100`, `PUT ${NOTES}/2`]);

  requests = [];
  const [passed, text] = await run(CLEAN, inMergeRequest);
  assert.equal(passed, 0, text);
  assert.deepEqual(sent(), [`GET ${NOTES}?per_page=100`, `DELETE ${NOTES}/2`]);
});
