// The page: filters above, flame graph and table below.

const counts = {};
for (const finding of report.findings) counts[finding.state] = (counts[finding.state] || 0) + 1;

const query = make('input', { type: 'search', placeholder: 'function, file, kind, fingerprint', oninput: () => later() });
const pick = (name, values) => make('select', { name, onchange: () => update() },
  make('option', { value: '' }, `every ${name}`), [...new Set(values)].sort().map((v) => make('option', { value: v }, v)));
const kinds = pick('kind', report.findings.map((f) => f.kind));
const tools = pick('checker', report.findings.map((f) => f.tool));
const states = Object.keys(STATES).filter((state) => counts[state]);
const boxes = states.map((state) => {
  const box = make('input', { type: 'checkbox', value: state, onchange: () => update() });
  box.checked = state === 'unexpected' || !counts.unexpected;
  return make('label', { className: `state ${state}` }, box, ` ${number.format(counts[state])} ${STATES[state]}`);
});
let typing = 0;
let drawing = 0;
const told = make('p', { role: 'status', className: 'told' });
const flame = new Flame();
const table = new Table(() => update());

function update() {
  const wanted = query.value.trim().toLowerCase();
  const open = new Set(boxes.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value));
  const found = report.findings.filter((f) =>
    open.has(f.state) && (!kinds.value || f.kind === kinds.value) && (!tools.value || f.tool === tools.value)
    && (!wanted || words(f).includes(wanted)));
  const bytes = found.reduce((sum, f) => sum + (f.bytes || 0), 0);
  const all = report.findings.length;
  told.textContent = `${number.format(found.length)} of ${plural(all, 'finding', 'findings')}${bytes ? `, ${number.format(bytes)} bytes` : ''}`;
  table.show(found);
  // The graph follows in a task of its own, so that typing stays fluid.
  clearTimeout(drawing);
  drawing = setTimeout(() => flame.show(found, wanted));
}

function later() {
  clearTimeout(typing);
  typing = setTimeout(update, 120);
}

if (report.findings.length === 0) {
  document.getElementById('app').append(make('p', { className: 'hint' }, 'There are no findings.'));
} else {
  document.getElementById('app').append(
    make('form', { className: 'tools', role: 'search', onsubmit: (event) => event.preventDefault() },
      make('label', { className: 'query' }, 'Search ', query), make('label', {}, 'Kind ', kinds),
      make('label', {}, 'Checker ', tools), make('fieldset', {}, make('legend', { className: 'unseen' }, 'States'), boxes)),
    told, flame.element, table.element);
  update();
}
