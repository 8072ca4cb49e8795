import type { LeaderLink } from './leader-links.ts';
import type { ScopeSource } from './pool-scopes.ts';

/** What is to be the source of a pool's scopes: the hub, or a leader. */
export type WantedSource =
  | { readonly kind: 'cloud'; readonly epoch: number; readonly direct: boolean }
  | { readonly kind: 'leader'; readonly link: LeaderLink; readonly life: string };

/** The source as it is wanted: the same object while nothing of it changes, so that scopes begin anew only then. */
export class SourceChoice {
  readonly #hub: ScopeSource['follower'];
  #present: ScopeSource | undefined;
  /** Session with the hub that {@link #present} is of. */
  #connection = 0;
  /** Life of the cluster that a leader's states are of. */
  #life = '';

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
      // In another life all is compared, and stamped, anew.
      if (this.#present?.follower === session && this.#life === wanted.life) return;
      this.#life = wanted.life;
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

const NOT_LEADER: ReadonlySet<string> = new Set(['ERR_CLOUDCORE_NOT_LEADER', 'ERR_CLOUDCORE_EPOCH_CONFLICT']);
const FENCED = 'ERR_CLOUDCORE_FENCED';

/** Whether the hub ends all streams of a leader, or of a direct member, with this one: any other may be a resource that is gone. */
export function endsAll(code: string, isRoster: boolean): boolean {
  return NOT_LEADER.has(code) || (code === FENCED && isRoster);
}
