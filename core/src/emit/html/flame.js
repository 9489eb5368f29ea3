// The stacks as an icicle graph: outermost functions at the top, each as wide as its share.

import { frameAt, isInternal, make, plural } from './report.js';

const MAX_DEPTH = 80;
const ROW_HEIGHT = 20;
/** Boxes narrower than this fraction of the graph are not drawn until the user zooms in. */
const MIN_WIDTH = 0.003;
/** Number of findings that are added up per task, which keeps the page responsive. */
const SLICE = 1000;

const UNITS = ['bytes', 'blocks', 'records'];

export class Flame {
  constructor() {
    this.weight = 'bytes';
    this.query = '';
    this.turn = 0;
    this.graph = make('div', {
      className: 'graph',
      role: 'group',
      'aria-label': 'Flame graph of stacks',
    });
    this.status = make('p', { className: 'status', role: 'status' });
    const reset = () => this.zoom(this.root);
    this.reset = make('button', { type: 'button', hidden: true, onclick: reset }, 'Reset zoom');
    const redraw = () => this.show(this.findings);
    this.unitSelect = make(
      'select',
      {
        onchange: () => {
          this.weight = this.unitSelect.value;
          redraw();
        },
      },
      UNITS.map((unit) => make('option', { value: unit }, unit)),
    );
    this.showInternal = make('input', { type: 'checkbox', onchange: redraw });
    this.element = make(
      'div',
      { className: 'flame' },
      make(
        'div',
        { className: 'tools' },
        make('label', {}, 'Width ', this.unitSelect),
        make('label', {}, this.showInternal, 'Show allocator and runtime frames'),
        this.reset,
        this.status,
      ),
      this.graph,
    );
    this.graph.addEventListener('keydown', (event) => this.onKey(event));
  }

  async show(findings, query = this.query) {
    this.turn += 1;
    const { turn } = this;
    this.findings = findings;
    this.query = query;
    const hasLeaks = findings.some((f) => f.bytes !== null);
    for (const option of this.unitSelect.options) {
      option.disabled = !hasLeaks && option.value !== 'records';
    }
    const unit = hasLeaks ? this.weight : 'records';
    this.unitSelect.value = unit;
    this.unit = unit;
    const root = { name: 'all', kind: 'all', value: 0, children: new Map(), depth: 0 };
    for (let at = 0; at < findings.length; at += SLICE) {
      if (at > 0)
        await new Promise((resolve) => {
          setTimeout(resolve);
        });
      // A later call has replaced this one.
      if (turn !== this.turn) return;
      for (const finding of findings.slice(at, at + SLICE)) {
        this.addStack(root, finding, finding[unit] || 0);
      }
    }
    this.root = root;
    this.element.hidden = this.root.value === 0;
    this.zoom(this.root);
  }

  addStack(root, finding, weight) {
    if (!weight || !finding.stacks.length) return;
    const frames = finding.stacks[0][1].map(frameAt);
    const userFrames = frames.filter((frame) => !isInternal(frame));
    const visible = this.showInternal.checked || !userFrames.length ? frames : userFrames;
    let node = root;
    node.value += weight;
    for (const frame of visible.slice(-MAX_DEPTH).reverse()) {
      let next = node.children.get(frame.name);
      if (!next) {
        next = { ...frame, value: 0, children: new Map(), depth: node.depth + 1, parent: node };
        node.children.set(frame.name, next);
      }
      next.value += weight;
      node = next;
    }
  }

  /** Returns the value of a node with its unit, such as `1 block`. */
  amount({ value }) {
    return plural(value, this.unit.slice(0, -1), this.unit);
  }

  /** Draws a node at full width, with its ancestors above it. */
  zoom(top) {
    this.top = top;
    this.reset.hidden = top === this.root;
    const path = [];
    for (let node = top; node; node = node.parent) path.unshift(node);
    const boxes = path.map((node) => this.box(node, 0, 1));
    this.hiddenCount = 0;
    let deepest = top.depth;
    const drawChildren = (node, left, width) => {
      let at = left;
      let hiddenWidth = 0;
      let hidden = 0;
      for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
        const childWidth = (child.value / node.value) * width;
        if (childWidth < MIN_WIDTH) {
          hiddenWidth += childWidth;
          hidden += 1;
          continue;
        }
        deepest = Math.max(deepest, child.depth);
        boxes.push(this.box(child, at, childWidth));
        drawChildren(child, at, childWidth);
        at += childWidth;
      }
      this.hiddenCount += hidden;
      if (hiddenWidth >= MIN_WIDTH) {
        boxes.push(this.hiddenBox(hidden, node.depth + 1, at, hiddenWidth));
      }
    };
    drawChildren(top, 0, 1);
    this.graph.style.height = `${(deepest + (this.hiddenCount ? 2 : 1)) * ROW_HEIGHT}px`;
    this.graph.replaceChildren(...boxes);
    const first = this.graph.children[path.length - 1];
    first.tabIndex = 0;
    this.describe(top);
  }

  box(node, left, width) {
    const isFound = this.query && node.name.toLowerCase().includes(this.query);
    const share = `${this.amount(node)}, ${this.percent(node)}`;
    const box = make(
      'button',
      {
        type: 'button',
        className: `part ${node.kind}${isFound ? ' found' : ''}`,
        title: `${node.name}\n${node.place || ''}\n${share}`,
        'aria-label': `${node.name}, ${share}`,
        tabIndex: -1,
        onclick: () => {
          this.zoom(node === this.top && node.parent ? node.parent : node);
          this.focus(node);
        },
        onfocus: () => this.describe(node),
        onmouseenter: () => this.describe(node),
      },
      width > 0.02 ? node.name : '',
    );
    box.node = node;
    return this.position(box, node.depth, left, width);
  }

  /** A box in place of nodes that are too narrow to draw. */
  hiddenBox(count, depth, left, width) {
    const text = plural(count, 'narrow frame', 'narrow frames');
    const box = make('span', { className: 'part others', title: text }, width > 0.05 ? text : '');
    return this.position(box, depth, left, width);
  }

  position(box, depth, left, width) {
    box.style.left = `${left * 100}%`;
    box.style.width = `${width * 100}%`;
    box.style.top = `${depth * ROW_HEIGHT}px`;
    return box;
  }

  percent(node) {
    return `${((node.value / this.root.value) * 100).toFixed(1)}%`;
  }

  /** Shows a node's share in the status line. */
  describe(node) {
    const place = node.place ? `, ${node.place}` : '';
    const hidden = this.hiddenCount
      ? `; ${plural(this.hiddenCount, 'frame is', 'frames are')} too narrow to draw`
      : '';
    const share = `${this.amount(node)}, ${this.percent(node)}`;
    this.status.textContent = `${node.name}${place}: ${share}${hidden}`;
  }

  focus(node) {
    const box = [...this.graph.children].find((each) => each.node === node);
    if (!box) return;
    for (const other of this.graph.querySelectorAll('button')) other.tabIndex = -1;
    box.tabIndex = 0;
    box.focus();
  }

  onKey(event) {
    const node = event.target.node;
    if (!node) return;
    const drawn = [...this.graph.children].map((box) => box.node).filter((each) => each);
    const siblings = node.parent ? drawn.filter((each) => each.parent === node.parent) : [node];
    const index = siblings.indexOf(node);
    const move = {
      ArrowUp: () => node.parent,
      ArrowDown: () => drawn.find((each) => each.parent === node),
      ArrowLeft: () => siblings[index - 1],
      ArrowRight: () => siblings[index + 1],
      Escape: () => {
        this.zoom(this.root);
        return this.root;
      },
    }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = move();
    if (next) this.focus(next);
  }
}
