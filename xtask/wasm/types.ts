// Compiled but never run: checks which calls TypeScript accepts.

import init, {
  Judged,
  Report,
  Session,
  compare,
  formats,
  merge,
  packs,
  version,
  type Change,
  type Format,
  type Mistake,
  type MistakesError,
  type Options,
  type Outcome,
  type Pack,
  type Panes,
} from '../../target/wasm/npm/leakgate.js';

await init();
const session: Session = new Session();
session.begin('run.log');
session.begin('1.txt', 'logs.zip');
session.feed(new Uint8Array([10]));
const soFar: Report = session.peek();
const report: Report = session.finish();

const options: Options = {
  config: '',
  suppressions: [{ name: 'lsan.supp', text: 'leak:make\n' }],
  packs: ['go'],
  baseline: '{}',
  base: '{}',
  silence: 'pass',
  failOn: ['leaks'],
  today: '2026-06-01',
};
try {
  report.judge(options);
} catch (error) {
  const mistakes: Mistake[] = (error as MistakesError).mistakes;
  mistakes.map(({ file, line, column, message, help }) => [
    file,
    line + column,
    message,
    help?.length,
  ]);
}

const judged: Judged = report.judge();
const outcome: Outcome = judged.outcome;
const changes: Change[] | undefined = judged.changes;
const texts: string[] = formats().map((format: Format) =>
  judged.document(format, { category: 'a', maxCharacters: 9000, showAccepted: true }),
);
const entry: string = judged.entry('lg2-0', 'lsan', { reason: 'known', status: 'accepted' });
const panes: Panes = judged.panes();
const names: Pack[] = packs();
const missing: string[] = judged.notGiven;
const merged: Report = merge([{ name: 'a', text: '{}' }]);
const since: Change[] = compare('{}', '{}');
export { soFar, panes, names, outcome, changes, texts, entry, missing, merged, since, version };

// @ts-expect-error: unknown option
report.judge({ supressions: [] });
// @ts-expect-error: unknown format
judged.document('pdf');
// @ts-expect-error: unknown rule syntax
judged.entry('lg2-0', 'perl');
// @ts-expect-error: the outcome is read-only
judged.outcome = 'pass';
