import type { Clock, Logger } from '@hawser/seams';
import type { PoolRoster } from '@hawser/sync';
import type { PeerTarget } from './leader-links.ts';
import type { HeardPeer } from './peer-table.ts';
import type { PoolTimes } from './pool-times.ts';

/** What {@link LeaderDuties} are made of. */
export interface LeaderDutiesOptions {
  readonly node: string;
  readonly times: () => PoolTimes;
  readonly members: () => PoolRoster['members'];
  readonly heard: (name: string) => HeardPeer | undefined;
  /** Members that have a session with this node. */
  readonly followers: () => ReadonlySet<string>;
  /** Asks a member what it knows. */
  readonly ask: (target: PeerTarget, timeoutMs: number) => Promise<unknown>;
  readonly nudge: (peer: string) => void;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Members that are asked at a time, in turn. */
const PROBES = 12;

/** What a leader does beside giving: it looks whether somebody else leads, and hands over where it cannot go on. */
export class LeaderDuties {
  readonly #options: LeaderDutiesOptions;
  #probeMs = -Infinity;
  #probing = false;
  #first = '';
  /** Where the next round of probes begins among those that are not here. */
  #turn = 0;
  /** Not asked again before because somebody says that they lead, by name, monotonic milliseconds. */
  readonly #hinted = new Map<string, number>();
  #handover: { readonly name: string; readonly untilMs: number } | undefined;
  readonly #tried = new Set<string>();

  constructor(options: LeaderDutiesOptions) {
    this.#options = options;
  }

  /** Who is asked to take over; empty: nobody. */
  get handover(): string {
    return this.#handover?.name ?? '';
  }

  /** Asks some members that are not here what they know. @returns when to look again, monotonic milliseconds */
  probe(): number {
    const { clock, times } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#probeMs || this.#probing) return this.#probing ? Infinity : this.#probeMs;
    this.#probeMs = nowMs + times().probeMs;
    void this.#probe();
    return this.#probeMs;
  }

  /** Somebody else may lead: it is asked soon, and this one first. */
  probeSoon(first: string): void {
    this.#probeMs = -Infinity;
    this.#first = first;
  }

  /** Somebody says that this member leads: it is asked at once, not too often. */
  hint(name: string): void {
    const { node, members, followers, ask, times, clock, onChange } = this.#options;
    const target = members().find((member) => member.name === name);
    const nowMs = clock.monotonicMs();
    if (target === undefined || name === node || followers().has(name)) return;
    if (nowMs < (this.#hinted.get(name) ?? -Infinity)) return;
    this.#hinted.set(name, nowMs + times().probeMs);
    void ask(target, times().dialMs).then(onChange);
  }

  /** The cloud is lost: somebody who hears it is asked to take over. @returns when to look again */
  handOver(): number {
    const { clock, times, nudge, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#handover !== undefined && nowMs < this.#handover.untilMs) return this.#handover.untilMs;
    const name = this.heir(true);
    if (name === undefined) {
      this.#handover = undefined;
      this.#tried.clear();
      return nowMs + times().heartbeatMs;
    }
    this.#tried.add(name);
    this.#handover = { name, untilMs: nowMs + times().handoverMs };
    log.info({ member: name }, 'the cloud is lost, this member is asked to lead');
    nudge(name);
    return this.#handover.untilMs;
  }

  /** The cloud is there: nobody needs to take over. */
  keep(): void {
    this.#handover = undefined;
    this.#tried.clear();
  }

  /** The follower that is best to lead next. @param needsCloud only one that hears the cloud, and was not asked yet */
  heir(needsCloud: boolean): string | undefined {
    const { clock, members, heard, followers } = this.#options;
    const nowMs = clock.monotonicMs();
    const eligible = new Set(members().flatMap(({ name, eligible }) => (eligible ? [name] : [])));
    const candidates = [...followers()].flatMap((name) => {
      const last = heard(name);
      if (last === undefined || !eligible.has(name) || !last.status.complete || last.status.endpoint === '')
        return [];
      const ageMs = nowMs - last.heardMs;
      const { cloud, cloudMs } = last.status;
      if (needsCloud && (!cloud || this.#tried.has(name))) return [];
      return [{ name, cloudMs: cloud ? cloudMs + ageMs : Infinity }];
    });
    candidates.sort((one, other) => one.cloudMs - other.cloudMs || (one.name < other.name ? -1 : 1));
    return candidates[0]?.name;
  }

  async #probe(): Promise<void> {
    const { node, members, followers, ask, times, onChange } = this.#options;
    const here = followers();
    const others = members().filter(({ name, endpoint }) => {
      return name !== node && endpoint !== '' && !here.has(name);
    });
    if (others.length === 0) return;
    this.#probing = true;
    const start = this.#turn % others.length;
    this.#turn = start + PROBES;
    const inTurn = [...others.slice(start), ...others.slice(0, start)];
    inTurn.sort((one, other) => Number(other.name === this.#first) - Number(one.name === this.#first));
    const chosen = inTurn.slice(0, PROBES);
    this.#first = '';
    await Promise.all(chosen.map((target) => ask(target, times().dialMs)));
    this.#probing = false;
    onChange();
  }
}
