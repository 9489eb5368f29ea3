// Calls to the worker: each has a number, and an answer.

/** What is wrong with rules and options, as the core tells it. */
export class Mistakes extends Error {
  constructor(message, list) {
    super(message);
    this.list = list;
  }
}

/** The worker broke off. What it had read is gone, and another one has taken its place. */
export class BrokenOff extends Error {}

const waiting = new Map();
let worker = null;
let last = 0;

/** Where the page is one file, the worker and its module stand in it. */
function inside() {
  const [source, module] = ['worker', 'module'].map((id) => document.getElementById(id));
  const made = new Worker(URL.createObjectURL(new Blob([source.textContent], { type: 'text/javascript' })));
  made.postMessage({ module: module.textContent });
  return made;
}

/** Starts the worker. */
export function start() {
  const isOneFile = document.getElementById('worker');
  worker = isOneFile ? inside() : new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }) => answer(data));
  worker.addEventListener('error', (event) => failAll(new Error(event.message || 'the reader of logs did not start')));
}

function failAll(error) {
  for (const call of waiting.values()) call.failed(error);
  waiting.clear();
}

function answer({ id, told, done, failed }) {
  const call = waiting.get(id);
  if (told) {
    call?.told?.(told);
    return;
  }
  if (failed?.isBroken) {
    // After a fault nothing in its memory can be relied upon.
    worker.terminate();
    failAll(new BrokenOff(failed.message));
    start();
    return;
  }
  waiting.delete(id);
  if (failed) call?.failed(failed.mistakes ? new Mistakes(failed.message, failed.mistakes) : new Error(failed.message));
  else call?.done(done);
}

/** Asks the worker. */
export function ask(task, rest = {}, told = null) {
  last += 1;
  const id = last;
  return new Promise((done, failed) => {
    waiting.set(id, { done, failed, told });
    worker.postMessage({ id, task, ...rest });
  });
}
