// Access to the elements of index.html.

export const byId = (id) => document.getElementById(id);

/** Control, bidirectional, zero-width and tag characters, except tabs and line feeds. */
const INVISIBLE =
  /(?![\t\n])[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Replaces invisible characters by escapes such as `\u{202e}`. File names and logs are untrusted,
 * and these characters change how the text around them is displayed.
 */
export const visible = (text) =>
  text.replace(INVISIBLE, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

/** Delay in milliseconds between a keystroke and a new verdict. */
export const INPUT_DELAY = 250;
