// The details of a finding, shown when its row is expanded.

import { actions, copy, frameAt, isInternal, make, number, plural, report } from './report.js';

/** A stack, with consecutive allocator and runtime frames folded. */
function stackList(frames, culprit) {
  const items = [];
  const frameItem = (frame, index) => {
    const isCulprit = index === culprit;
    return make(
      'li',
      { className: `frame ${frame.kind}${isCulprit ? ' culprit' : ''}` },
      make('span', { className: 'name' }, frame.name),
      ' ',
      make('span', { className: 'place' }, frame.place),
      isCulprit ? make('span', { className: 'mark' }, 'start here') : '',
    );
  };
  for (let at = 0; at < frames.length;) {
    let end = at;
    while (end < frames.length && isInternal(frames[end]) && end !== culprit) end += 1;
    if (end - at > 1) {
      const more = plural(
        end - at - 1,
        'more allocator or runtime frame',
        'more allocator or runtime frames',
      );
      const folded = frames.slice(at, end).map((frame) => frameItem(frame, -1));
      items.push(
        make(
          'li',
          { className: 'folded' },
          make(
            'details',
            {},
            make('summary', {}, `${frames[at].name} and ${more}`),
            make('ol', {}, folded),
          ),
        ),
      );
      at = end;
    } else {
      items.push(frameItem(frames[at], at));
      at += 1;
    }
  }
  return make('ol', { className: 'stack' }, items);
}

/** Numbered lines, with line `marked` highlighted. */
function excerpt(first, lines, marked) {
  return lines.map((text, index) => {
    const n = first + index;
    const isMarked = n === marked;
    const gutter = `${String(n).padStart(5)} ${isMarked ? '>' : ' '} `;
    return make(
      'span',
      { className: isMarked ? 'line here' : 'line' },
      make('span', { className: 'gutter' }, gutter),
      `${text}\n`,
    );
  });
}

function sourceLines(finding) {
  if (!finding.source) return '';
  const [first, lines] = finding.source;
  const place = finding.place.match(/:(\d+)(?::\d+)?$/);
  const label = `Source around ${finding.place}`;
  return make(
    'pre',
    { className: 'source', tabIndex: 0, 'aria-label': label },
    excerpt(first, lines, place && Number(place[1])),
  );
}

/** The places in the logs that report a finding, and an excerpt of the log if it is available. */
function logPlaces(finding) {
  const log =
    actions.lines && make('pre', { className: 'log', tabIndex: 0, 'aria-label': 'Log excerpt' });
  const show = async (place) => {
    const [first, lines] = await actions.lines(place);
    log.replaceChildren(...excerpt(first, lines, place[1]));
  };
  const items = finding.instances.map((place) => {
    const [input, line, pid] = place;
    const text = `${report.inputs[input]}:${line}`;
    const name = log
      ? make('button', { type: 'button', className: 'at', onclick: () => show(place) }, text)
      : make('code', {}, text);
    return make('li', {}, name, pid === null ? '' : ` pid ${pid}`);
  });
  const more = finding.records - finding.instances.length;
  if (more > 0) items.push(make('li', {}, `and ${number.format(more)} more`));
  if (log && finding.instances.length) show(finding.instances[0]);
  return [make('ul', { className: 'instances' }, items), log];
}

function acceptBox(finding) {
  if (finding.state !== 'unexpected') return '';
  if (actions.accept) {
    const onclick = () => actions.accept(finding);
    return make('button', { type: 'button', className: 'accept', onclick }, 'Accept');
  }
  const rule = report.rules[finding.fingerprint];
  if (rule && rule.error) {
    const text = `Cannot write a rule that accepts only this finding: ${rule.error}.`;
    return make('p', { className: 'hint' }, text);
  }
  const input = finding.instances.length ? report.inputs[finding.instances[0][0]] : 'LOG';
  const command = `leakgate allow ${finding.fingerprint} ${input} --reason "…"`;
  const text = rule ? rule.text : command;
  const title = rule
    ? 'To accept this finding, add to leakgate.toml'
    : 'To accept this finding, run';
  const label = rule ? 'Rule' : 'Command';
  const code = make('pre', { className: 'rule', tabIndex: 0, 'aria-label': label }, text);
  const status = make('span', { role: 'status', className: 'copy-status' });
  const notify = (message) => {
    status.textContent = message;
  };
  const onclick = () => copy(text, code, notify);
  return make(
    'div',
    { className: 'accept' },
    make('h4', {}, title),
    code,
    make('button', { type: 'button', onclick }, 'Copy'),
    ' ',
    status,
  );
}

export function detail(finding) {
  const help = report.help[finding.kind];
  const stacks = finding.stacks.map(([label, frames], index) => [
    label ? make('h4', {}, label) : '',
    stackList(frames.map(frameAt), index === 0 ? finding.culprit : -1),
  ]);
  const notes = finding.notes.map((note) => make('li', {}, note));
  const [places, log] = logPlaces(finding);
  return make(
    'div',
    { className: 'detail' },
    make(
      'div',
      {},
      make('h3', {}, `${finding.kind}: ${finding.detail}`),
      notes.length ? make('ul', { className: 'notes' }, notes) : '',
      sourceLines(finding),
      stacks.flat(),
      log && [make('h4', {}, 'Log excerpt'), log],
    ),
    make(
      'div',
      {},
      acceptBox(finding),
      make('h4', {}, help.title),
      help.texts.map((text) => make('p', {}, text)),
      make('h4', {}, `Reported by ${finding.tool}`),
      places,
      make('p', {}, make('code', {}, finding.fingerprint)),
    ),
  );
}
