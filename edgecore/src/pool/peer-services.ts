import type { Clock, Logger } from '@hawser/seams';
import type { ChangeEncoder, PoolRoster } from '@hawser/sync';
import type { PeerFrames, PeerGate, PeerPipe } from './peer-link.ts';
import type { PeerAnswer, PeerMessage } from './peer-messages.ts';
import { PeerService, type PublishedScope } from './peer-service.ts';

/** What {@link PeerServices} are made of. */
export interface PeerServicesOptions {
  readonly node: string;
  /** undefined: not known yet; then nobody is let in. */
  readonly roster: () => PoolRoster | undefined;
  readonly published: (
    kind: string,
    name: string,
    peer: string,
  ) => PublishedScope | { readonly code: string; readonly why: string };
  readonly answer: (message: PeerMessage, peer: string) => PeerAnswer;
  /** A member has come or gone. */
  readonly onChange: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly encoder: ChangeEncoder;
  readonly confirmAfterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Sessions beyond one for each member: of those that come back before their last one is seen to have ended. */
const SPARE_SESSIONS = 8;

/** The LAN sessions that others have opened to this node: who is let in, who is there. */
export class PeerServices implements PeerGate {
  readonly #options: PeerServicesOptions;
  readonly #services = new Set<PeerService>();

  constructor(options: PeerServicesOptions) {
    this.#options = options;
  }

  /** Members that have a session with this node. */
  get peers(): ReadonlySet<string> {
    return new Set([...this.#services].map(({ peer }) => peer));
  }

  /** Sessions. */
  get size(): number {
    return this.#services.size;
  }

  /** Scopes that followers read. */
  get scopes(): number {
    let count = 0;
    for (const { scopes } of this.#services) count += scopes;
    return count;
  }

  refusal(node: string, fingerprint: string): string | undefined {
    const roster = this.#options.roster();
    if (roster === undefined) return 'this node does not know its pool yet';
    if (node === this.#options.node || !roster.members.some(({ name }) => name === node))
      return `${node} is no other member of the pool ${roster.pool}`;
    if (roster.revoked.includes(fingerprint)) return `the certificate of ${node} was revoked`;
    if (this.#services.size >= roster.members.length + SPARE_SESSIONS) return 'too many sessions';
    return undefined;
  }

  accept(pipe: PeerPipe): PeerFrames {
    const { published, answer, onBytes, onChange, encoder, confirmAfterMs, clock, log } = this.#options;
    const service = new PeerService({
      ...{ pipe, published, answer, onBytes, encoder, confirmAfterMs, clock, log },
    });
    // One for each member: whoever comes back has lost the last one, which this side may not have noticed.
    for (const former of this.#services) if (former.peer === pipe.peer) former.close('there is a newer one');
    this.#services.add(service);
    void pipe.closed.then(() => {
      service.close();
      this.#services.delete(service);
      onChange();
    });
    onChange();
    return service.onFrame;
  }

  /** Has all of them, or one, ask at once. */
  nudge(peer?: string): void {
    for (const service of this.#services) if (peer === undefined || service.peer === peer) service.nudge();
  }

  /** This node does not lead any more: followers are told, and may ask whom to follow. */
  stopPublishing(code: string, message: string): void {
    for (const service of this.#services) service.stopPublishing(code, message);
    this.nudge();
  }

  /** The roster is another: whoever would not be let in has to go. */
  check(): void {
    const roster = this.#options.roster();
    for (const service of [...this.#services]) {
      const { peer, fingerprint } = service;
      const isMember = roster?.members.some(({ name }) => name === peer) ?? false;
      if (!isMember || roster?.revoked.includes(fingerprint) === true)
        service.close(`${peer} is no member of the pool any more`);
    }
  }

  /** Ends those of which nothing was heard for so long. @returns when to look again, monotonic milliseconds */
  expire(silentMs: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    let nextMs = Infinity;
    for (const service of [...this.#services]) {
      const dueMs = service.heardMs + silentMs;
      if (dueMs <= nowMs) service.close('nothing was heard');
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }

  /** Ends all of them. */
  close(why: string): void {
    for (const service of [...this.#services]) service.close(why);
  }
}
