// Calls to the worker. Each call has an id, by which its reply is found.

/** Errors in rules and options; `list` has them one by one. */
export class InputErrors extends Error {
  constructor(message, list) {
    super(message);
    this.list = list;
  }
}

/** The worker crashed. Its logs are lost, and a new worker has replaced it. */
export class WorkerCrash extends Error {}

const pending = new Map();
let worker = null;
let lastId = 0;

/** Starts the worker that is embedded in a single-file page, and passes it its module. */
function inlineWorker() {
  const [source, module] = ['worker', 'module'].map((id) => document.getElementById(id));
  const blob = new Blob([source.textContent], { type: 'text/javascript' });
  const created = new Worker(URL.createObjectURL(blob));
  created.postMessage({ module: module.textContent });
  return created;
}

/** Starts the worker. */
export function start() {
  const isSingleFile = document.getElementById('worker');
  worker = isSingleFile
    ? inlineWorker()
    : new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }) => onReply(data));
  worker.addEventListener('error', (event) => {
    rejectAll(new Error(event.message || 'cannot start the worker'));
  });
}

function rejectAll(error) {
  for (const { reject } of pending.values()) reject(error);
  pending.clear();
}

function onReply({ id, progress, result, error }) {
  const call = pending.get(id);
  if (progress) {
    call?.onProgress?.(progress);
    return;
  }
  if (error?.isCrash) {
    // After a crash the worker's memory cannot be trusted.
    worker.terminate();
    rejectAll(new WorkerCrash(error.message));
    start();
    return;
  }
  pending.delete(id);
  if (error?.mistakes) call?.reject(new InputErrors(error.message, error.mistakes));
  else if (error) call?.reject(new Error(error.message));
  else call?.resolve(result);
}

/** Runs a task in the worker. `onProgress` is called while the task runs. */
export function request(task, args = {}, onProgress = null) {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    pending.set(id, { resolve, reject, onProgress });
    worker.postMessage({ id, task, ...args });
  });
}
