#!/usr/bin/env node
// The command `leakgate` of the npm package.

import { load, run } from './command.js';

/** Exit status of an error, as in the native program. */
const ERROR = 2;

if (process.platform === 'win32') {
  process.stderr.write(
    'error: cannot run on Windows: this command needs a system with paths like those of Unix\n' +
      'help: use the native program: https://github.com/leakgate/leakgate#install\n',
  );
  process.exitCode = ERROR;
} else {
  try {
    process.exitCode = await run(await load(), process.argv.slice(2));
  } catch (error) {
    // The module ends with an exception if it runs out of memory, or has a bug.
    process.stderr.write(`error: leakgate ended unexpectedly: ${error}\n`);
    process.exitCode = ERROR;
  }
}
