// The findings: filters above, flame graph and table below.

import { Flame } from './flame.js';
import { STATES, make, number, plural, report, words } from './report.js';
import { Table } from './table.js';

/** So long after a key it is searched. */
const PAUSE = 120;

function choice(name, values, changed) {
  const options = [...new Set(values)].sort().map((value) => make('option', { value }, value));
  return make('select', { name, onchange: changed }, make('option', { value: '' }, `every ${name}`), options);
}

/** Elements that show the findings of the report in use. */
export function view() {
  const { findings } = report;
  if (findings.length === 0) return [make('p', { className: 'hint' }, 'There are no findings.')];
  const counts = {};
  for (const finding of findings) counts[finding.state] = (counts[finding.state] || 0) + 1;
  let typing = 0;
  let drawing = 0;
  const later = () => {
    clearTimeout(typing);
    typing = setTimeout(update, PAUSE);
  };
  const query = make('input', { type: 'search', placeholder: 'function, file, kind, fingerprint', oninput: later });
  const kinds = choice('kind', findings.map((f) => f.kind), () => update());
  const tools = choice('checker', findings.map((f) => f.tool), () => update());
  const boxes = Object.keys(STATES).filter((state) => counts[state]).map((state) => {
    const box = make('input', { type: 'checkbox', value: state, onchange: () => update() });
    box.checked = state === 'unexpected' || !counts.unexpected;
    return make('label', { className: `state ${state}` }, box, ` ${number.format(counts[state])} ${STATES[state]}`);
  });
  const told = make('p', { role: 'status', className: 'told' });
  const flame = new Flame();
  const table = new Table(() => update());

  function update() {
    const wanted = query.value.trim().toLowerCase();
    const open = new Set(boxes.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value));
    const found = findings.filter((f) =>
      open.has(f.state) && (!kinds.value || f.kind === kinds.value) && (!tools.value || f.tool === tools.value)
      && (!wanted || words(f).includes(wanted)));
    const bytes = found.reduce((sum, f) => sum + (f.bytes || 0), 0);
    const leaked = bytes ? `, ${number.format(bytes)} bytes` : '';
    told.textContent = `${number.format(found.length)} of ${plural(findings.length, 'finding', 'findings')}${leaked}`;
    table.show(found);
    // The graph follows in a task of its own, so that typing stays fluid.
    clearTimeout(drawing);
    drawing = setTimeout(() => flame.show(found, wanted));
  }

  update();
  return [
    make('form', { className: 'tools', role: 'search', onsubmit: (event) => event.preventDefault() },
      make('label', { className: 'query' }, 'Search ', query), make('label', {}, 'Kind ', kinds),
      make('label', {}, 'Checker ', tools), make('fieldset', {}, make('legend', { className: 'unseen' }, 'States'), boxes)),
    told, flame.element, table.element,
  ];
}
