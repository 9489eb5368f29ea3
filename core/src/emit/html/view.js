// The findings: filters, flame graph and table.

import { Flame } from './flame.js';
import { STATES, debounce, make, number, plural, report, search } from './report.js';
import { Table } from './table.js';

/** Delay in milliseconds between a keystroke and the search. */
const SEARCH_DELAY = 120;

/** Returns the default settings of a view. Users change them, and the next view can reuse them. */
export const defaultSettings = () => ({
  query: '',
  kind: '',
  checker: '',
  test: '',
  change: '',
  states: new Map(),
  sort: null,
  isDescending: false,
  expanded: new Set(),
});

/** A select element that filters by one property, such as `kind`. */
function filterSelect(name, allLabel, values, settings, onChange) {
  const all = [...new Set(values)].sort();
  const select = make(
    'select',
    {
      name,
      onchange: () => {
        settings[name] = select.value;
        onChange();
      },
    },
    make('option', { value: '' }, allLabel),
    all.map((value) => make('option', { value }, value)),
  );
  if (!all.includes(settings[name])) settings[name] = '';
  select.value = settings[name];
  return select;
}

/**
 * A labeled checkbox per state that occurs. Unless the user has chosen otherwise, only unexpected
 * findings are shown, or all of them if none is unexpected.
 */
function stateFilters(findings, settings, onChange) {
  const counts = {};
  for (const finding of findings) counts[finding.state] = (counts[finding.state] || 0) + 1;
  return Object.keys(STATES)
    .filter((state) => counts[state])
    .map((state) => {
      const box = make('input', {
        type: 'checkbox',
        value: state,
        onchange: () => {
          settings.states.set(state, box.checked);
          onChange();
        },
      });
      box.checked = settings.states.get(state) ?? (state === 'unexpected' || !counts.unexpected);
      const label = ` ${number.format(counts[state])} ${STATES[state]}`;
      return make('label', { className: `state ${state}` }, box, label);
    });
}

/** Returns elements that show the findings of the current report. */
export function view(settings = defaultSettings()) {
  const { findings } = report;
  if (findings.length === 0) return [make('p', { className: 'hint' }, 'No findings')];
  const update = () => {
    const query = settings.query.trim().toLowerCase();
    const checked = stateLabels.map((label) => label.firstChild).filter((box) => box.checked);
    const states = new Set(checked.map((box) => box.value));
    const matchesQuery = search(query);
    const matches = (wanted, value) => !wanted || wanted === value;
    const found = findings.filter(
      (f) =>
        states.has(f.state) &&
        matches(settings.kind, f.kind) &&
        matches(settings.checker, f.tool) &&
        matches(settings.change, f.change) &&
        (!settings.test || f.tests?.includes(settings.test)) &&
        matchesQuery(f),
    );
    const bytes = found.reduce((sum, f) => sum + (f.bytes || 0), 0);
    const leaked = bytes ? `, ${number.format(bytes)} bytes` : '';
    const total = plural(findings.length, 'finding', 'findings');
    status.textContent = `${number.format(found.length)} of ${total}${leaked}`;
    table.show(found);
    // The graph is drawn in a separate task, which keeps typing fluid.
    drawGraph(found, query);
  };
  const drawGraph = debounce((found, query) => flame.show(found, query));
  const updateSoon = debounce(update, SEARCH_DELAY);
  const queryInput = make('input', {
    type: 'search',
    placeholder: 'Function, file, kind, test or fingerprint',
    value: settings.query,
    oninput: () => {
      settings.query = queryInput.value;
      updateSoon();
    },
  });
  const select = (name, allLabel, value) =>
    filterSelect(name, allLabel, findings.map(value), settings, update);
  const kinds = select('kind', 'All kinds', (f) => f.kind);
  const checkers = select('checker', 'All checkers', (f) => f.tool);
  const changes = findings[0].change ? select('change', 'All changes', (f) => f.change) : null;
  const names = findings.flatMap((f) => f.tests ?? []);
  const tests = names.length
    ? filterSelect('test', 'All tests', names, settings, () => update())
    : null;
  const stateLabels = stateFilters(findings, settings, update);
  const status = make('p', { role: 'status', className: 'status' });
  const flame = new Flame();
  const table = new Table(settings, update);

  update();
  const form = { className: 'tools', role: 'search', onsubmit: (event) => event.preventDefault() };
  return [
    make(
      'form',
      form,
      make('label', { className: 'query' }, 'Search ', queryInput),
      make('label', {}, 'Kind ', kinds),
      make('label', {}, 'Checker ', checkers),
      changes && make('label', {}, 'Change ', changes),
      tests && make('label', {}, 'Test ', tests),
      make('fieldset', {}, make('legend', { className: 'unseen' }, 'States'), stateLabels),
    ),
    status,
    flame.element,
    table.element,
  ];
}
