// What is shown of one finding when its row is opened.

import { actions, copy, frameOf, make, number, plural, report } from './report.js';

/** Runs of frames of allocators and runtimes, folded. */
function frames(list, culprit) {
  const items = [];
  const line = (frame, at) =>
    make('li', { className: `frame ${frame.kind}${at === culprit ? ' culprit' : ''}` },
      make('span', { className: 'name' }, frame.name), ' ', make('span', { className: 'place' }, frame.place),
      at === culprit ? make('span', { className: 'mark' }, 'look here') : '');
  for (let at = 0; at < list.length;) {
    let end = at;
    while (end < list.length && ['allocator', 'runtime'].includes(list[end].kind) && end !== culprit) end += 1;
    if (end - at > 1) {
      const rest = plural(end - at - 1, 'frame', 'frames');
      const inner = make('ol', {}, list.slice(at, end).map((frame) => line(frame, -1)));
      items.push(make('li', { className: 'folded' },
        make('details', {}, make('summary', {}, `${list[at].name} and ${rest} of allocator and runtime`), inner)));
      at = end;
    } else {
      items.push(line(list[at], at));
      at += 1;
    }
  }
  return make('ol', { className: 'stack' }, items);
}

/** Numbered lines; the one to look at is marked. */
function excerpt(first, lines, marked) {
  return lines.map((text, at) => {
    const n = first + at;
    const here = n === marked;
    return make('span', { className: here ? 'line here' : 'line' },
      make('span', { className: 'gutter' }, `${String(n).padStart(5)} ${here ? '>' : ' '} `), `${text}\n`);
  });
}

function sourceLines(finding) {
  if (!finding.source) return '';
  const [first, lines] = finding.source;
  const place = finding.place.match(/:(\d+)(?::\d+)?$/);
  return make('pre', { className: 'source', tabIndex: 0, 'aria-label': `Lines around ${finding.place}` },
    excerpt(first, lines, place && Number(place[1])));
}

/** Where the log tells of a finding, and, where the log is at hand, its lines. */
function seen(finding) {
  const shown = actions.lines && make('pre', { className: 'log', tabIndex: 0, 'aria-label': 'Lines of the log' });
  const show = async (place) => {
    const [first, lines] = await actions.lines(place);
    shown.replaceChildren(...excerpt(first, lines, place[1]));
  };
  const items = finding.seen.map((place) => {
    const [input, line, pid] = place;
    const text = `${report.inputs[input]}:${line}`;
    const name = shown ? make('button', { type: 'button', className: 'at', onclick: () => show(place) }, text) : make('code', {}, text);
    return make('li', {}, name, pid === null ? '' : ` pid ${pid}`);
  });
  const more = finding.records - finding.seen.length;
  if (more > 0) items.push(make('li', {}, `and ${number.format(more)} more`));
  if (shown && finding.seen.length) show(finding.seen[0]);
  return [make('ul', { className: 'seen' }, items), shown];
}

function accept(finding) {
  if (finding.state !== 'unexpected') return '';
  if (actions.accept) return make('button', { type: 'button', className: 'accept', onclick: () => actions.accept(finding) }, 'Accept this');
  const rule = report.rules[finding.fingerprint];
  const input = finding.seen.length ? report.inputs[finding.seen[0][0]] : 'LOG';
  const command = `leakgate allow ${finding.fingerprint} ${input} --reason "…"`;
  if (rule && rule.why) return make('p', { className: 'hint' }, `No rule accepts it and nothing else: ${rule.why}.`);
  const text = rule ? rule.text : command;
  const said = make('span', { role: 'status', className: 'said' });
  const shown = make('pre', { className: 'rule', tabIndex: 0, 'aria-label': 'What accepts it' }, text);
  const button = make('button', {
    type: 'button',
    onclick: () => copy(text, shown, (what) => { said.textContent = what; }),
  }, 'Copy');
  const title = rule ? 'To accept it, add to leakgate.toml' : 'To accept it, run';
  return make('div', { className: 'accept' }, make('h4', {}, title), shown, button, ' ', said);
}

export function detail(finding) {
  const help = report.help[finding.kind];
  const stacks = finding.stacks.map(([label, list], at) => [
    label ? make('h4', {}, label) : '',
    frames(list.map(frameOf), at === 0 ? finding.culprit : -1),
  ]);
  const [places, lines] = seen(finding);
  return make('div', { className: 'detail' },
    make('div', {},
      make('h3', {}, `${finding.kind}: ${finding.said}`),
      finding.notes.length ? make('ul', { className: 'notes' }, finding.notes.map((note) => make('li', {}, note))) : '',
      sourceLines(finding),
      stacks.flat(),
      lines && [make('h4', {}, 'In the log'), lines]),
    make('div', {},
      accept(finding),
      make('h4', {}, help.title),
      help.texts.map((text) => make('p', {}, text)),
      make('h4', {}, `Seen by ${finding.tool}`),
      places,
      make('p', {}, make('code', {}, finding.fingerprint))));
}
