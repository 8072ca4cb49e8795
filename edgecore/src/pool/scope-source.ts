import type { LeaderLink } from './leader-links.ts';
import type { ScopeSource } from './pool-scopes.ts';

/** What is to be the source of a pool's scopes: the hub, or a leader. */
export type WantedSource =
  | { readonly kind: 'cloud'; readonly epoch: number; readonly direct: boolean }
  | { readonly kind: 'leader'; readonly link: LeaderLink };

/** The source as it is wanted: the same object while nothing of it changes, so that scopes begin anew only then. */
export class SourceChoice {
  readonly #hub: ScopeSource['follower'];
  #present: ScopeSource | undefined;
  /** Session with the hub that {@link #present} is of. */
  #connection = 0;

  constructor(hub: ScopeSource['follower']) {
    this.#hub = hub;
  }

  get present(): ScopeSource | undefined {
    return this.#present;
  }

  /** @param connection grows with each session with the hub: a source of the hub is of one of them */
  choose(wanted: WantedSource | undefined, connection: number): void {
    if (wanted === undefined) {
      this.#present = undefined;
      return;
    }
    if (wanted.kind === 'leader') {
      const { session, name } = wanted.link;
      if (this.#present?.follower === session) return;
      this.#present = { kind: 'leader', name, follower: session, epoch: 0, direct: false };
      return;
    }
    const { epoch, direct } = wanted;
    const before = this.#present;
    const isSame = before?.kind === 'cloud' && before.epoch === epoch && before.direct === direct;
    if (isSame && this.#connection === connection) return;
    this.#connection = connection;
    this.#present = { kind: 'cloud', name: 'the hub', follower: this.#hub, epoch, direct };
  }
}
