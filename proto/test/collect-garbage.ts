import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// mocha starts a process of its own without --expose-gc; a context made after the flag has the function.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects garbage now. */
export function collectGarbage(): void {
  gc();
  gc(); // what the first round finds to be weakly held, the second collects
}
