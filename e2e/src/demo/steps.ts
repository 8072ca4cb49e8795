import type { Demo } from './demo.ts';
import { changeDevice } from './device-steps.ts';
import { change, cut, join, killHub, restartAlone, revoke, run } from './edge-steps.ts';
import { replaceLeader } from './pool-steps.ts';

/** A part of the demonstration. Answers why it was left out; undefined: it was not. @throws Error, `signal.reason` */
export interface Step {
  readonly name: string;
  readonly run: (demo: Demo) => Promise<string | undefined>;
}

/** All parts behind the start of everything, in their order. */
export const STEPS: readonly Step[] = [
  { name: 'join', run: join },
  { name: 'run', run },
  { name: 'change', run: change },
  { name: 'device', run: changeDevice },
  { name: 'cut', run: cut },
  { name: 'power', run: restartAlone },
  { name: 'leader', run: replaceLeader },
  { name: 'revoke', run: revoke },
  { name: 'hub', run: killHub },
];
