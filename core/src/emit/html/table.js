// The findings as a table: filtered, sorted, and put into the page a part at a time, so that thousands of them stay fluid.

import { detail } from './detail.js';
import { STATES, make, number } from './report.js';

const PART = 100;

const COLUMNS = [
  ['state', 'state', (f) => Object.keys(STATES).indexOf(f.state)],
  ['kind', 'kind', (f) => f.kind],
  ['bytes', 'bytes', (f) => f.bytes ?? -1],
  ['blocks', 'blocks', (f) => f.blocks ?? -1],
  ['records', 'records', (f) => f.records],
  ['function', 'function', (f) => f.function],
  ['place', 'place', (f) => f.place],
];

export class Table {
  /** `kept` holds the order and the open rows. */
  constructor(kept, changed) {
    this.kept = kept;
    this.changed = changed;
    this.rows = [];
    this.shown = 0;
    this.body = make('tbody', {});
    this.more = make('button', { type: 'button', className: 'more', onclick: () => this.add() });
    this.head = COLUMNS.map(([key, title]) =>
      make('th', { scope: 'col', className: `by-${key}`, 'aria-sort': 'none' },
        make('button', { type: 'button', onclick: () => this.sortBy(key) }, title)));
    this.element = make('div', {},
      make('div', { className: 'scroll' }, make('table', { className: 'findings' },
        make('caption', { className: 'unseen' }, 'Findings, one a row; a row opens to its stacks'),
        make('thead', {}, make('tr', {}, this.head)), this.body)),
      this.more);
    new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && this.add(), { rootMargin: '600px' })
      .observe(this.more);
  }

  /** The findings as they come are in the best order: the worst first. */
  show(findings) {
    const { sort, down } = this.kept;
    const column = COLUMNS.find(([key]) => key === sort);
    this.rows = [...findings];
    if (column) {
      const value = column[2];
      const order = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
      this.rows.sort((a, b) => (down ? order(b, a) : order(a, b)));
    }
    this.head.forEach((th, at) => {
      const here = COLUMNS[at][0] === sort;
      th.setAttribute('aria-sort', here ? (down ? 'descending' : 'ascending') : 'none');
    });
    this.body.replaceChildren();
    this.shown = 0;
    this.add();
  }

  sortBy(key) {
    const numbers = ['bytes', 'blocks', 'records'].includes(key);
    const { kept } = this;
    if (kept.sort === key && kept.down !== numbers) kept.sort = null;
    else if (kept.sort === key) kept.down = !kept.down;
    else [kept.sort, kept.down] = [key, numbers];
    this.changed();
  }

  add() {
    const part = this.rows.slice(this.shown, this.shown + PART);
    this.shown += part.length;
    this.body.append(...part.flatMap((finding) => this.row(finding)));
    const left = this.rows.length - this.shown;
    this.more.hidden = left === 0;
    this.more.textContent = `Show more: ${number.format(left)} left`;
  }

  row(finding) {
    const size = (n) => (n === null ? '' : number.format(n));
    const name = finding.function || '(no frame of yours)';
    const button = make('button', { type: 'button', className: 'open', 'aria-expanded': 'false' }, name);
    const row = make('tr', { className: 'finding' },
      make('td', {}, make('span', { className: `state ${finding.state}` }, STATES[finding.state]),
        finding.change && make('span', { className: `state ${finding.change}` }, finding.change)),
      make('td', {}, finding.kind),
      make('td', { className: 'n' }, size(finding.bytes)),
      make('td', { className: 'n' }, size(finding.blocks)),
      make('td', { className: 'n' }, number.format(finding.records)),
      make('th', { scope: 'row' }, button),
      make('td', { className: 'place' }, finding.place));
    const { open } = this.kept;
    const inner = () => make('tr', { className: 'opened' }, make('td', { colSpan: COLUMNS.length }, detail(finding)));
    const toggle = () => {
      const isOpen = open.delete(finding.fingerprint);
      if (isOpen) row.nextSibling.remove();
      else row.after(inner());
      if (!isOpen) open.add(finding.fingerprint);
      button.setAttribute('aria-expanded', String(!isOpen));
    };
    row.addEventListener('click', (event) => {
      const selects = String(getSelection()) !== '';
      if (event.target.closest('button') === button || !selects) toggle();
    });
    if (!open.has(finding.fingerprint)) return [row];
    button.setAttribute('aria-expanded', 'true');
    return [row, inner()];
  }
}
