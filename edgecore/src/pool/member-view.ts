import { SOLO_PREFIX } from '@hawser/sync';
import { cloudAge } from './leader-links.ts';
import type { Contender } from './leader-order.ts';
import type { LeaderCircumstances } from './leader-role.ts';
import type { PeerStatus } from './peer-messages.ts';
import { contenderOf, hearsCloud } from './peer-table.ts';
import type { RunParts } from './pool-run-parts.ts';
import type { PoolRunOptions, PoolStanding } from './pool-run-types.ts';
import type { PoolTimes } from './pool-times.ts';
import type { PoolState } from './pool-types.ts';
import type { WantedSource } from './scope-source.ts';
import { isSameLife } from './state-checks.ts';

/** What a {@link MemberView} is derived from. */
export interface MemberViewOptions {
  readonly run: Pick<
    PoolRunOptions,
    'node' | 'pool' | 'hub' | 'link' | 'checks' | 'writable' | 'needed' | 'clock'
  >;
  readonly parts: RunParts;
  readonly times: () => PoolTimes;
  /** Whether it hands over, and stops. */
  readonly stopping: () => boolean;
}

/**
 * How a member stands: all that follows from what its parts know, looked up anew each time. Nothing is decided or changed
 * here; that is for `PoolRun`.
 */
export class MemberView {
  /** Whether the node is in a pool of its own. */
  readonly solo: boolean;
  readonly #run: MemberViewOptions['run'];
  readonly #parts: RunParts;
  readonly #times: () => PoolTimes;
  readonly #stopping: () => boolean;

  constructor({ run, parts, times, stopping }: MemberViewOptions) {
    this.solo = run.pool.startsWith(SOLO_PREFIX);
    this.#run = run;
    this.#parts = parts;
    this.#times = times;
    this.#stopping = stopping;
  }

  // ── for readers and operators ──────────────────────────────────────────────────────────────────────────────

  /** Whether this node leads. */
  get leads(): boolean {
    return this.#parts.role.leading !== undefined && !this.#stopping();
  }

  /** Whether nobody needs it: a node without a pool, whose programs have not asked for anything. */
  get idle(): boolean {
    return this.solo && !this.#run.needed();
  }

  /** Whether the cloud is heard, by this node or by its leader. */
  get cloud(): boolean {
    const { pulse, links, role } = this.#parts;
    const { current } = links;
    if (pulse.fresh) return true;
    if (current === undefined || role.leading !== undefined) return false;
    return hearsCloud(current.answer.status, this.#now - current.heardMs, this.#times());
  }

  /** How this member stands. */
  standing(): PoolStanding {
    const { state, leader, leads, provisional, epoch } = this.status();
    return {
      ...{ state, leader, leads, provisional, epoch, cloud: this.cloud },
      sinceMs: this.#parts.teller.sinceMs,
      cloudAgeMs: cloudAge(this.#run.hub.heardMs, this.#parts.links.current, this.#now),
    };
  }

  /** What this member says of itself. */
  status(): PeerStatus {
    const { node, pool, link, checks } = this.#run;
    const { scopes, role, links, knowledge, pulse, election } = this.#parts;
    const { leading } = role;
    const { current } = links;
    const { leads } = this;
    const followed = leading === undefined ? current?.answer.status : undefined;
    // Without spreads, which are slow: it is asked for all the time.
    return {
      node,
      pool,
      leads,
      life: checks.life,
      endpoint: link.endpoint,
      epoch: leading?.epoch ?? Math.max(followed?.epoch ?? 0, knowledge.appointed.epoch),
      version: scopes.version,
      rosterVersion: scopes.rosterVersion,
      complete: scopes.complete,
      state: this.#state(),
      leader: leads ? node : (current?.name ?? role.successor),
      provisional: leading?.provisional ?? followed?.provisional ?? false,
      ready: leads && leading?.ready === true,
      cloud: pulse.fresh,
      cloudMs: pulse.cloudMs,
      electing: election.running && this.mayLead,
      stopping: this.#stopping(),
    };
  }

  // ── what is decided by ─────────────────────────────────────────────────────────────────────────────────────

  /** Whether this node can give others what it has. */
  get mayLead(): boolean {
    const { node, link, writable } = this.#run;
    const { pulse, knowledge, scopes } = this.#parts;
    if (this.#stopping() || link.endpoint === '' || !writable()) return false;
    if (pulse.fresh && knowledge.appointed.leader === node) return true;
    return scopes.roster?.members.some(({ name, eligible }) => name === node && eligible) ?? false;
  }

  /** Whether this node has a leader that it can go by. */
  get isGood(): boolean {
    const { role, links, pulse, knowledge } = this.#parts;
    if (this.solo || role.leading !== undefined) return role.leading !== undefined;
    const { current } = links;
    const { ready = false, life = '' } = current?.answer.status ?? {};
    if (current === undefined || !ready || !isSameLife(life, this.#run.checks.life)) return false;
    // Whom the hub has not appointed gives nothing that is newer; whom it has just appointed has to be found.
    const isFinding = this.#now < knowledge.appointedMs + this.#times().returnMs;
    return !pulse.fresh || knowledge.appointed.leader === current.name || isFinding;
  }

  /** Whether it matters now that the hub is really there: also to whoever would lead by its word. */
  get needsHub(): boolean {
    const { role, knowledge } = this.#parts;
    const isCalled = knowledge.asked !== undefined || knowledge.appointed.leader === this.#run.node;
    return role.leading !== undefined || !this.isGood || isCalled;
  }

  /** By what it is decided whether this node leads. */
  circumstances(): LeaderCircumstances {
    const { knowledge, pulse, election } = this.#parts;
    const { appointed, asked } = knowledge;
    return {
      appointed,
      asked,
      fresh: pulse.fresh,
      mayLead: this.mayLead,
      isElected: election.won,
      mine: () => this.contender(),
      leaders: () => knowledge.leaders(),
    };
  }

  /** This node, as contenders are compared. */
  contender(): Contender {
    return contenderOf(this.status(), 0, this.#times());
  }

  /** From where this node is to read, as one that does not lead; undefined: it reads nothing. */
  source(isGood: boolean): WantedSource | undefined {
    const { links, lost, direct } = this.#parts;
    const { current } = links;
    const { hub, checks } = this.#run;
    if (!isGood && lost.mayGoOn && direct.active && hub.usable)
      return { kind: 'cloud', epoch: 0, direct: true };
    if (current === undefined || !isSameLife(current.answer.status.life, checks.life)) return undefined;
    return { kind: 'leader', link: current, life: checks.life };
  }

  get #now(): number {
    return this.#run.clock.monotonicMs();
  }

  #state(): PoolState {
    const { role, pulse, lost, source, scopes } = this.#parts;
    const leads = role.state(pulse.fresh);
    if (leads !== undefined) return leads;
    if (!lost.isLost) return 'LIVE';
    if (source.present?.direct === true && scopes.followed > 0) return 'DIRECT';
    return lost.isGraceOver ? 'STALE' : 'GRACE';
  }
}
