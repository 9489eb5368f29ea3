// The table of findings: filtered, sorted, and added to the page in parts, which keeps thousands of
// findings fluid.

import { detail } from './detail.js';
import { STATES, make, number } from './report.js';

/** Number of rows per part. */
const PART = 100;

const COLUMNS = [
  { key: 'state', title: 'State', value: (f) => Object.keys(STATES).indexOf(f.state) },
  { key: 'kind', title: 'Kind', value: (f) => f.kind },
  { key: 'bytes', title: 'Bytes', value: (f) => f.bytes ?? -1, isNumber: true },
  { key: 'blocks', title: 'Blocks', value: (f) => f.blocks ?? -1, isNumber: true },
  { key: 'records', title: 'Records', value: (f) => f.records, isNumber: true },
  { key: 'function', title: 'Function', value: (f) => f.function },
  { key: 'place', title: 'Location', value: (f) => f.place },
];

export class Table {
  /** `settings` holds the sort order and the expanded rows. */
  constructor(settings, onChange) {
    this.settings = settings;
    this.onChange = onChange;
    this.rows = [];
    this.shown = 0;
    this.body = make('tbody', {});
    const add = () => this.addPart();
    this.more = make('button', { type: 'button', className: 'more', onclick: add });
    this.head = COLUMNS.map(({ key, title }) => {
      const button = make('button', { type: 'button', onclick: () => this.sortBy(key) }, title);
      return make('th', { scope: 'col', className: `by-${key}`, 'aria-sort': 'none' }, button);
    });
    const caption = 'Findings, one per row. Expand a row to see its stacks.';
    this.element = make(
      'div',
      {},
      make(
        'div',
        { className: 'scroll' },
        make(
          'table',
          { className: 'findings' },
          make('caption', { className: 'unseen' }, caption),
          make('thead', {}, make('tr', {}, this.head)),
          this.body,
        ),
      ),
      this.more,
    );
    const whenVisible = (entries) => entries.some((entry) => entry.isIntersecting) && add();
    new IntersectionObserver(whenVisible, { rootMargin: '600px' }).observe(this.more);
  }

  /** Shows findings. Without a sort column, they keep their order: the worst first. */
  show(findings) {
    const { sort, isDescending } = this.settings;
    const column = COLUMNS.find(({ key }) => key === sort);
    this.rows = [...findings];
    if (column) {
      const { value } = column;
      const order = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
      this.rows.sort((a, b) => (isDescending ? order(b, a) : order(a, b)));
    }
    this.head.forEach((th, index) => {
      const isSorted = COLUMNS[index] === column;
      const direction = isDescending ? 'descending' : 'ascending';
      th.setAttribute('aria-sort', isSorted ? direction : 'none');
    });
    this.body.replaceChildren();
    this.shown = 0;
    this.addPart();
  }

  /** Cycles through a column's two directions, beginning with the useful one, and no sorting. */
  sortBy(key) {
    const { settings } = this;
    const isDescendingFirst = COLUMNS.some((column) => column.key === key && column.isNumber);
    if (settings.sort !== key) {
      settings.sort = key;
      settings.isDescending = isDescendingFirst;
    } else if (settings.isDescending === isDescendingFirst) {
      settings.isDescending = !settings.isDescending;
    } else {
      settings.sort = null;
    }
    this.onChange();
  }

  addPart() {
    const part = this.rows.slice(this.shown, this.shown + PART);
    this.shown += part.length;
    this.body.append(...part.flatMap((finding) => this.row(finding)));
    const remaining = this.rows.length - this.shown;
    this.more.hidden = remaining === 0;
    this.more.textContent = `Show more (${number.format(remaining)} remaining)`;
  }

  row(finding) {
    const { expanded } = this.settings;
    const { state, change, fingerprint } = finding;
    const size = (n) => (n === null ? '' : number.format(n));
    const name = finding.function || '(unknown function)';
    const button = make(
      'button',
      {
        type: 'button',
        className: 'open',
        'aria-expanded': 'false',
      },
      name,
    );
    const row = make(
      'tr',
      { className: 'finding' },
      make(
        'td',
        {},
        make('span', { className: `state ${state}` }, STATES[state]),
        change && make('span', { className: `state ${change}` }, change),
      ),
      make('td', {}, finding.kind),
      make('td', { className: 'n' }, size(finding.bytes)),
      make('td', { className: 'n' }, size(finding.blocks)),
      make('td', { className: 'n' }, number.format(finding.records)),
      make('th', { scope: 'row' }, button),
      make('td', { className: 'place' }, finding.place),
    );
    const detailRow = () =>
      make('tr', { className: 'opened' }, make('td', { colSpan: COLUMNS.length }, detail(finding)));
    const toggle = () => {
      const isExpanded = expanded.delete(fingerprint);
      if (isExpanded) {
        row.nextSibling.remove();
      } else {
        row.after(detailRow());
        expanded.add(fingerprint);
      }
      button.setAttribute('aria-expanded', String(!isExpanded));
    };
    row.addEventListener('click', (event) => {
      const hasSelection = String(getSelection()) !== '';
      if (event.target.closest('button') === button || !hasSelection) toggle();
    });
    if (!expanded.has(fingerprint)) return [row];
    button.setAttribute('aria-expanded', 'true');
    return [row, detailRow()];
  }
}
