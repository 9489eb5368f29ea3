// The findings: filters above, flame graph and table below.

import { Flame } from './flame.js';
import { STATES, later, make, number, plural, report, search } from './report.js';
import { Table } from './table.js';

/** So long after a key it is searched. */
const PAUSE = 120;

/** What somebody has chosen, for the next view. */
export const fresh = () => ({ query: '', kind: '', checker: '', change: '', states: new Map(), sort: null, down: false, open: new Set() });

function choice(name, values, kept, changed) {
  const all = [...new Set(values)].sort();
  const select = make('select', {
    name,
    onchange: () => {
      kept[name] = select.value;
      changed();
    },
  }, make('option', { value: '' }, `every ${name}`), all.map((value) => make('option', { value }, value)));
  if (!all.includes(kept[name])) kept[name] = '';
  select.value = kept[name];
  return select;
}

/** A box for each state that some finding has. What nobody has chosen is open where it fails, or where nothing fails. */
function stateBoxes(findings, kept, changed) {
  const counts = {};
  for (const finding of findings) counts[finding.state] = (counts[finding.state] || 0) + 1;
  return Object.keys(STATES).filter((state) => counts[state]).map((state) => {
    const box = make('input', {
      type: 'checkbox',
      value: state,
      onchange: () => {
        kept.states.set(state, box.checked);
        changed();
      },
    });
    box.checked = kept.states.get(state) ?? (state === 'unexpected' || !counts.unexpected);
    return make('label', { className: `state ${state}` }, box, ` ${number.format(counts[state])} ${STATES[state]}`);
  });
}

/** Elements that show the findings of the report in use, as `kept` says. */
export function view(kept = fresh()) {
  const { findings } = report;
  if (findings.length === 0) return [make('p', { className: 'hint' }, 'There are no findings.')];
  const update = () => {
    const wanted = kept.query.trim().toLowerCase();
    const open = new Set(boxes.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value));
    const holds = search(wanted);
    const found = findings.filter((f) =>
      open.has(f.state) && (!kept.kind || f.kind === kept.kind) && (!kept.checker || f.tool === kept.checker)
      && (!kept.change || f.change === kept.change) && holds(f));
    const bytes = found.reduce((sum, f) => sum + (f.bytes || 0), 0);
    const leaked = bytes ? `, ${number.format(bytes)} bytes` : '';
    told.textContent = `${number.format(found.length)} of ${plural(findings.length, 'finding', 'findings')}${leaked}`;
    table.show(found);
    // The graph follows in a task of its own, so that typing stays fluid.
    draw(found, wanted);
  };
  const draw = later((found, wanted) => flame.show(found, wanted));
  const updateSoon = later(update, PAUSE);
  const typed = () => {
    kept.query = query.value;
    updateSoon();
  };
  const query = make('input', { type: 'search', placeholder: 'function, file, kind, fingerprint', oninput: typed, value: kept.query });
  const kinds = choice('kind', findings.map((f) => f.kind), kept, update);
  const tools = choice('checker', findings.map((f) => f.tool), kept, update);
  const changes = findings[0].change ? choice('change', findings.map((f) => f.change), kept, update) : null;
  const boxes = stateBoxes(findings, kept, update);
  const told = make('p', { role: 'status', className: 'told' });
  const flame = new Flame();
  const table = new Table(kept, update);

  update();
  return [
    make('form', { className: 'tools', role: 'search', onsubmit: (event) => event.preventDefault() },
      make('label', { className: 'query' }, 'Search ', query), make('label', {}, 'Kind ', kinds),
      make('label', {}, 'Checker ', tools), changes && make('label', {}, 'Change ', changes),
      make('fieldset', {}, make('legend', { className: 'unseen' }, 'States'), boxes)),
    told, flame.element, table.element,
  ];
}
