// Calls to the worker. Each call has an id, by which its reply is found.
//
// The first worker has a smaller module, which reads logs and judges them without rules. It crashes
// where a log or a task needs more. Then a worker with the full module replaces it, repeats what
// the first one did, and continues with the calls that have no reply yet.

/** Errors in rules and options; `list` has them one by one. */
export class InputErrors extends Error {
  constructor(message, list) {
    super(message);
    this.list = list;
  }
}

/** The worker crashed. Its logs are lost, and a new worker has replaced it. */
export class WorkerCrash extends Error {}

const FIRST = 'worker.js';
const FULL = 'full/worker.js';

const pending = new Map();
let worker = null;
let isFull = false;
/** The latest completed reading and judgment of the first worker, on which other tasks depend. */
let completed = [];
/** Whether calls wait until the worker has repeated the completed ones. */
let isRepeating = false;
let lastId = 0;

/** Starts the worker that is embedded in a single-file page, and passes it its module. */
function inlineWorker() {
  const [source, module] = ['worker', 'module'].map((id) => document.getElementById(id));
  const blob = new Blob([source.textContent], { type: 'text/javascript' });
  const created = new Worker(URL.createObjectURL(blob));
  created.postMessage({ module: module.textContent });
  return created;
}

function startWorker(path) {
  const isSingleFile = document.getElementById('worker') !== null;
  isFull = isSingleFile || path === FULL;
  const created = isSingleFile
    ? inlineWorker()
    : new Worker(new URL(path, import.meta.url), { type: 'module' });
  worker?.terminate();
  worker = created;
  // A message of a worker that was replaced may still arrive.
  const listen = (type, listener) =>
    created.addEventListener(type, (event) => created === worker && listener(event));
  listen('message', ({ data }) => onReply(data));
  listen('error', ({ message }) => onError(message));
}

/** Starts the first worker. */
export function start() {
  completed = [];
  isRepeating = false;
  startWorker(FIRST);
}

/** Replaces the first worker by the full one. */
async function startFull() {
  startWorker(FULL);
  const own = worker;
  // Other inputs replace the logs that were read.
  const isReading = [...pending.values()].some(({ task }) => task === 'read' || task === 'open');
  isRepeating = true;
  try {
    for (const { task, args } of isReading ? [] : completed) {
      const repeated = newCall(task, args, null);
      send(repeated);
      await repeated.reply;
    }
    isRepeating = false;
    for (const waiting of pending.values()) send(waiting);
  } catch (error) {
    if (own !== worker) return;
    rejectAll(error);
    start();
  }
}

/** The worker stopped. Its logs are lost, unless the full worker can read them again. */
function onCrash(message) {
  if (!isFull) {
    startFull();
    return;
  }
  rejectAll(new WorkerCrash(message));
  start();
}

/** The worker's script could not be loaded. */
function onError(cause) {
  const message = `cannot start the worker: ${cause || 'its script is missing'}`;
  if (isFull) onCrash(message);
  else rejectAll(new Error(message));
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
    onCrash(error.message);
    return;
  }
  pending.delete(id);
  if (call && result) remember(call);
  if (error?.mistakes) call?.reject(new InputErrors(error.message, error.mistakes));
  else if (error) call?.reject(new Error(error.message));
  else call?.resolve(result);
}

/** Keeps a completed call of the first worker to repeat it in the full one. */
function remember(call) {
  if (isFull) return;
  if (call.task === 'read') completed = [call];
  else if (call.task === 'judge') completed = [completed[0], call];
}

function send({ id, task, args }) {
  worker.postMessage({ id, task, ...args });
}

/** Runs a task in the worker. `onProgress` is called while the task runs. */
export function request(task, args = {}, onProgress = null) {
  const waiting = newCall(task, args, onProgress);
  if (!isRepeating) send(waiting);
  return waiting.reply;
}

/** Adds a call to those without a reply. */
function newCall(task, args, onProgress) {
  lastId += 1;
  const added = { id: lastId, task, args, onProgress };
  added.reply = new Promise((resolve, reject) => {
    Object.assign(added, { resolve, reject });
  });
  pending.set(added.id, added);
  return added;
}
