// Pages that resemble GitHub, for the pictures.

const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

/** Icons in place of emoji, because not every machine has a font for them. */
const ICONS = {
  '❌': '<svg class="icon" viewBox="0 0 16 16"><path fill="none" stroke="#d1242f" stroke-width="3" d="M2.5 2.5l11 11m0-11l-11 11"/></svg>',
  '✅': '<svg class="icon" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1a7f37"/><path fill="none" stroke="#fff" stroke-width="2" d="M3.5 8.5l3 3 6-7"/></svg>',
};
const withIcons = (html) => html.replace(/❌|✅/g, (emoji) => ICONS[emoji]);

const FAILED =
  '<svg class="mark" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#d1242f"/><path stroke="#fff" stroke-width="1.8" d="M5 5l6 6m0-6l-6 6"/></svg>';

const STYLE = `
  * { box-sizing: border-box; }
  body { margin: 0; background: #fff; color: #1f2328; font: 14px/1.5 Inter, sans-serif; font-variant-ligatures: none; }
  main { display: inline-block; width: 900px; padding: 16px; background: #fff; }
  a { color: #0969da; text-decoration: none; }
  code, pre, .code { font-family: 'JetBrains Mono', monospace; font-size: 12px; }
  .box { border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden; }
  .head { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; }
  .muted { color: #59636e; }
  .icon { width: 18px; height: 18px; vertical-align: -2px; }
  .mark { width: 16px; height: 16px; vertical-align: -3px; margin-right: 6px; }
  .code { width: 100%; border-collapse: collapse; line-height: 20px; }
  .code td { padding: 0 10px; white-space: pre; background: #dafbe1; }
  .code td.number { width: 1%; min-width: 48px; text-align: right; color: #59636e; background: #aceebb; }
  .note { margin: 8px 16px; border: 1px solid #d1d9e0; border-left: 4px solid #d1242f; border-radius: 6px; padding: 10px 14px; background: #fff; }
  .note .top { display: flex; justify-content: space-between; font-size: 12px; margin-bottom: 8px; }
  .note .title { font-weight: 600; margin-bottom: 4px; }
  .note .message { white-space: pre-wrap; font-family: 'JetBrains Mono', monospace; font-size: 12px; }
  .markdown { padding: 16px; }
  .markdown > :first-child { margin-top: 0; }
  .markdown > :last-child { margin-bottom: 0; }
  .markdown h2 { font-size: 21px; font-weight: 600; padding-bottom: 6px; margin: 0 0 16px; border-bottom: 1px solid #d1d9e0b3; }
  .markdown table { border-collapse: collapse; margin-bottom: 16px; }
  .markdown th, .markdown td { font-size: 14px; border: 1px solid #d1d9e0; padding: 6px 13px; }
  .markdown th { font-weight: 600; }
  .markdown tr:nth-child(2n) td { background: #f6f8fa; }
  .markdown code { background: #818b981f; border-radius: 6px; padding: 2px 5px; }
  .markdown pre { background: #f6f8fa; border-radius: 6px; padding: 14px; overflow: hidden; line-height: 1.45; }
  .markdown pre code { background: none; padding: 0; }
  .markdown details { margin-bottom: 12px; }
  .markdown p { margin: 0 0 14px; }
  .comment { display: flex; gap: 14px; }
  .avatar { flex: none; width: 40px; height: 40px; border-radius: 8px; background: #24292f; }
  .avatar svg { width: 40px; height: 40px; }
  .comment .box { flex: 1; }
  .terminal { padding: 14px 16px; margin: 0; white-space: pre-wrap; line-height: 1.45; }
  .terminal .ansi-bold { font-weight: 600; }
  .terminal .ansi-red-fg { color: #cf222e; }
  .terminal .ansi-green-fg { color: #1a7f37; }
  .terminal .ansi-yellow-fg { color: #9a6700; }
  .terminal .ansi-cyan-fg { color: #1b7c83; }
  .bot { border: 1px solid #d1d9e0; border-radius: 10px; padding: 0 7px; font-size: 12px; }
`;

const page = (body) => `<style>${STYLE}</style><main>${body}</main>`;

/** The diff of a file, with an annotation below its line. */
export function annotationPage({ path, source, annotation, name }) {
  const line = annotation.start_line;
  const rows = [];
  for (let number = line - 2; number <= line + 4; number += 1) {
    const text = escape(source[number - 1]);
    rows.push(`<tr><td class="number">${number}</td><td>+ ${text}</td></tr>`);
    if (number !== line) continue;
    rows.push(`<tr><td colspan="2" style="background: #fff; white-space: normal; padding: 0"><div class="note">
      <div class="top" style="font-family: Inter">
        <span>${FAILED}<b>Check failure</b> on line ${line} in ${escape(path)}</span>
        <span class="muted">GitHub Actions / ${escape(name)}</span>
      </div>
      <div class="title" style="font-family: Inter; font-size: 13px">${escape(annotation.title)}</div>
      <div class="message">${escape(annotation.message)}</div>
    </div></td></tr>`);
  }
  return page(`<div class="box"><div class="head"><code>${escape(path)}</code></div>
    <table class="code">${rows.join('')}</table></div>`);
}

/** A comment on a pull request. */
export function commentPage(html) {
  const bot =
    '<svg viewBox="0 0 40 40"><circle cx="20" cy="20" r="11" fill="none" stroke="#fff" stroke-width="3"/><path d="M17 15l8 5-8 5z" fill="#fff"/></svg>';
  return page(`<div class="comment"><div class="avatar">${bot}</div><div class="box">
    <div class="head"><b>github-actions</b> <span class="bot muted">bot</span> <span class="muted">commented now</span></div>
    <div class="markdown">${withIcons(html)}</div></div></div>`);
}

/** The summary of a job, with the last details open. */
export function summaryPage(html) {
  const last = html.lastIndexOf('<details>');
  const open = `${html.slice(0, last)}<details open>${html.slice(last + '<details>'.length)}`;
  return page(`<div class="box"><div class="head"><b>test</b> <span class="muted">summary</span></div>
    <div class="markdown">${withIcons(open)}</div></div>`);
}

/** A terminal with a command and what it prints, as HTML. */
export function terminalPage(command, html) {
  return page(`<div class="box"><div class="head"><code><span class="muted">$</span> ${escape(command)}</code></div>
    <pre class="terminal">${html.trim()}</pre></div>`);
}
