import type { Clock } from '@hawser/seams';
import type { HubWords } from './hub-words.ts';
import type { PeerServices } from './peer-services.ts';
import type { PeerWords } from './peer-words.ts';

/** Whom a leader that stops tells, and how long it waits for them. */
export interface FarewellOptions {
  readonly services: PeerServices;
  readonly words: PeerWords;
  readonly hubWords: HubWords;
  /** Whether there is a hub to tell. */
  readonly hasHub: boolean;
  readonly limitMs: number;
  readonly clock: Clock;
}

/** Tells followers and the hub that this leader goes. Resolves once all have heard it, or the time is over. */
export function sayFarewell(options: FarewellOptions): Promise<void> {
  const { services, words, hubWords, hasHub, limitMs, clock } = options;
  const left = new Set(services.peers);
  return new Promise((resolve) => {
    const patience = clock.setTimer(limitMs, resolve);
    let isHeard = !hasHub;
    const look = (): void => {
      if (left.size > 0 || !isHeard) return;
      patience.cancel();
      resolve();
    };
    words.onAsked((peer) => {
      left.delete(peer);
      look();
    });
    hubWords.sayAgain(() => {
      isHeard = true;
      look();
    });
    services.nudge();
    look();
  });
}
