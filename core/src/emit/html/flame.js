// The stacks as an icicle: outermost functions at the top, as wide as what leaked beneath them.

import { frameOf, make, number, plural } from './report.js';

const MOST_DEPTH = 80;
const ROW = 20;
/** Narrower parts are not drawn; a click on what is above them shows them. */
const NARROWEST = 0.003;
/** So many findings are added up in one go, so that nobody waits. */
const SLICE = 1000;

export class Flame {
  constructor() {
    this.weight = 'bytes';
    this.picked = null;
    this.query = '';
    this.turn = 0;
    this.graph = make('div', { className: 'graph', role: 'group', 'aria-label': 'Flame graph of stacks' });
    this.told = make('p', { className: 'told', role: 'status' });
    this.back = make('button', { type: 'button', hidden: true, onclick: () => this.zoom(this.root) }, 'Show all');
    const choice = make('select', { onchange: () => { this.weight = choice.value; this.show(this.findings); } },
      ['bytes', 'blocks', 'records'].map((w) => make('option', { value: w }, w)));
    this.choice = choice;
    this.all = make('input', { type: 'checkbox', onchange: () => this.show(this.findings) });
    this.element = make('div', { className: 'flame' },
      make('div', { className: 'tools' }, make('label', {}, 'Wide by ', choice),
        make('label', {}, this.all, 'with allocators and runtimes'), this.back, this.told), this.graph);
    this.graph.addEventListener('keydown', (event) => this.key(event));
  }

  async show(findings, query = this.query) {
    this.turn += 1;
    const { turn } = this;
    this.findings = findings;
    this.query = query;
    const leaks = findings.some((f) => f.bytes !== null);
    this.choice.options[0].disabled = this.choice.options[1].disabled = !leaks;
    const weight = leaks ? this.weight : 'records';
    this.choice.value = weight;
    this.unit = weight;
    const root = { name: 'all', kind: 'all', value: 0, children: new Map(), depth: 0 };
    for (let at = 0; at < findings.length; at += SLICE) {
      if (at > 0) await new Promise((done) => { setTimeout(done); });
      // Another choice was made in between.
      if (turn !== this.turn) return;
      for (const finding of findings.slice(at, at + SLICE)) this.put(root, finding, finding[weight] || 0);
    }
    this.root = root;
    this.element.hidden = this.root.value === 0;
    this.zoom(this.root);
  }

  put(root, finding, weight) {
    if (!weight || !finding.stacks.length) return;
    const list = finding.stacks[0][1].map(frameOf);
    const tells = list.filter((frame) => !['allocator', 'runtime'].includes(frame.kind));
    const shown = this.all.checked || !tells.length ? list : tells;
    let node = root;
    node.value += weight;
    for (const frame of shown.slice(-MOST_DEPTH).reverse()) {
      let next = node.children.get(frame.name);
      if (!next) {
        next = { ...frame, value: 0, children: new Map(), depth: node.depth + 1, parent: node };
        node.children.set(frame.name, next);
      }
      next.value += weight;
      node = next;
    }
  }

  /** Draws one part as wide as the graph, with all that is above it. */
  zoom(top) {
    this.top = top;
    this.back.hidden = top === this.root;
    const path = [];
    for (let node = top; node; node = node.parent) path.unshift(node);
    const parts = path.map((node) => this.part(node, 0, 1));
    this.narrow = 0;
    let deepest = top.depth;
    const below = (node, left, width) => {
      let at = left;
      let rest = 0;
      let hidden = 0;
      for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
        const wide = (child.value / node.value) * width;
        if (wide < NARROWEST) {
          [rest, hidden] = [rest + wide, hidden + 1];
          continue;
        }
        deepest = Math.max(deepest, child.depth);
        parts.push(this.part(child, at, wide));
        below(child, at, wide);
        at += wide;
      }
      this.narrow += hidden;
      if (rest >= NARROWEST) parts.push(this.others(hidden, node.depth + 1, at, rest));
    };
    below(top, 0, 1);
    this.graph.style.height = `${(deepest + (this.narrow ? 2 : 1)) * ROW}px`;
    this.graph.replaceChildren(...parts);
    const first = this.graph.children[path.length - 1];
    first.tabIndex = 0;
    this.tell(top);
  }

  part(node, left, width) {
    const found = this.query && node.name.toLowerCase().includes(this.query);
    const share = `${number.format(node.value)} ${this.unit}, ${((node.value / this.root.value) * 100).toFixed(1)} %`;
    const part = make('button', {
      type: 'button',
      className: `part ${node.kind}${found ? ' found' : ''}`,
      title: `${node.name}\n${node.place || ''}\n${share}`,
      'aria-label': `${node.name}, ${share}`,
      tabIndex: -1,
      onclick: () => { this.zoom(node === this.top && node.parent ? node.parent : node); this.focus(node); },
      onfocus: () => this.tell(node),
      onmouseenter: () => this.tell(node),
    }, width > 0.02 ? node.name : '');
    part.node = node;
    return this.place(part, node.depth, left, width);
  }

  /** What stands for parts that are too narrow. */
  others(count, depth, left, width) {
    const text = plural(count, 'narrow part', 'narrow parts');
    return this.place(make('span', { className: 'part others', title: text }, width > 0.05 ? text : ''), depth, left, width);
  }

  place(part, depth, left, width) {
    part.style.left = `${left * 100}%`;
    part.style.width = `${width * 100}%`;
    part.style.top = `${depth * ROW}px`;
    return part;
  }

  tell(node) {
    const place = node.place ? `, ${node.place}` : '';
    const narrow = this.narrow ? `; ${plural(this.narrow, 'part is', 'parts are')} too narrow to draw` : '';
    const share = ((node.value / this.root.value) * 100).toFixed(1);
    this.told.textContent = `${node.name}${place}: ${number.format(node.value)} ${this.unit}, ${share} %${narrow}`;
  }

  focus(node) {
    const part = [...this.graph.children].find((p) => p.node === node);
    if (!part) return;
    for (const other of this.graph.querySelectorAll('button')) other.tabIndex = -1;
    part.tabIndex = 0;
    part.focus();
  }

  key(event) {
    const node = event.target.node;
    if (!node) return;
    const beside = node.parent ? [...this.graph.children].map((p) => p.node).filter((n) => n && n.parent === node.parent) : [node];
    const at = beside.indexOf(node);
    const drawn = [...this.graph.children].map((p) => p.node).filter((n) => n);
    const go = {
      ArrowUp: () => node.parent,
      ArrowDown: () => drawn.find((n) => n.parent === node),
      ArrowLeft: () => beside[at - 1],
      ArrowRight: () => beside[at + 1],
      Escape: () => { this.zoom(this.root); return this.root; },
    }[event.key];
    if (!go) return;
    event.preventDefault();
    const next = go();
    if (next) this.focus(next);
  }
}
