// Access to the elements of index.html.

export const byId = (id) => document.getElementById(id);

/** Delay in milliseconds between a keystroke and a new verdict. */
export const INPUT_DELAY = 250;
