// The elements that index.html holds.

export const byId = (id) => document.getElementById(id);

/** So long after a key it is read and judged anew. */
export const PAUSE = 250;
