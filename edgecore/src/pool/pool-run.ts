import { Alarm, POOL_RESOURCES, poolScope } from '@hawser/sync';
import type { DirectAccess } from './direct-access.ts';
import { sayFarewell } from './farewell.ts';
import type { LeaderLinks } from './leader-links.ts';
import type { LeaderRole } from './leader-role.ts';
import { MemberView } from './member-view.ts';
import type { PeerAnswer } from './peer-messages.ts';
import type { PeerServices } from './peer-services.ts';
import type { PeerTable } from './peer-table.ts';
import { makeRunParts, NOT_LEADING, OTHER_LIFE, type RunParts } from './pool-run-parts.ts';
import type { PoolRunOptions } from './pool-run-types.ts';
import type { PoolScopes, ScopeSource } from './pool-scopes.ts';
import { poolTimes, type PoolTimes } from './pool-times.ts';
import { endsAll, type WantedSource } from './scope-source.ts';
import { ALTERED } from './state-checks.ts';

/** Sessions of members of which nothing was heard are kept for so many times the expiry. */
const FORGOTTEN_AFTER = 3;

/**
 * One member in one pool: docs/pool.md, "The member". Level-triggered: whatever happens, {@link look} looks at all that is
 * known, does what follows, and sets an alarm for when something falls due.
 */
export class PoolRun {
  /** How this member stands, and what is decided by. */
  readonly view: MemberView;
  readonly #options: PoolRunOptions;
  readonly #alarm: Alarm;
  readonly #parts: RunParts;
  #times: PoolTimes = poolTimes();
  #lastLeader = '';
  /** Life of the cluster that is accepted here. */
  #life = '';
  #connection = 0;
  #heir = '';
  #stopping = false;
  #running = false;
  #scheduled = false;
  #why = 'it has started';

  constructor(options: PoolRunOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.soon());
    const times = (): PoolTimes => this.#times;
    const stopping = (): boolean => this.#stopping;
    this.#parts = makeRunParts(options, {
      ...{ times, stopping },
      soon: () => this.soon(),
      status: () => this.view.status(),
      leads: () => this.view.leads,
      handover: () => (this.#stopping ? this.#heir : this.#parts.duties.handover),
      cloud: () => this.view.cloud,
      onScopes: () => this.#onScopes(),
      onScopeEnded: (source, scope, code, message) => this.#onScopeEnded(source, scope, code, message),
      onAnswer: (answer) => this.#onAnswer(answer),
      onCurrent: (why, silentSinceMs) => this.#onCurrent(why, silentSinceMs),
    });
    this.view = new MemberView({ run: options, parts: this.#parts, times, stopping });
  }

  get scopes(): PoolScopes {
    return this.#parts.scopes;
  }

  get services(): PeerServices {
    return this.#parts.services;
  }

  get links(): LeaderLinks {
    return this.#parts.links;
  }

  get direct(): DirectAccess {
    return this.#parts.direct;
  }

  /** What is known of the other members. */
  get table(): PeerTable {
    return this.#parts.knowledge.table;
  }

  /** Begins, with what the store has. Called once. */
  start(): void {
    this.#running = true;
    this.#parts.knowledge.start();
    this.#parts.lost.begin();
    this.scopes.open();
    this.#onScopes();
  }

  /** The session with the hub may be used, or not any more. */
  setConnected(connected: boolean): void {
    this.#connection += 1;
    this.#lookAtLife();
    if (connected && this.#running) this.#parts.hubWords.sayAgain();
    this.soon();
  }

  /** Looks at everything in a moment: something has changed. */
  soon(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#running) this.look();
    });
  }

  /** Says at once to the leader, or to followers, what is new here. */
  spread(): void {
    if (this.#leading === undefined) this.links.hurry();
    else this.services.nudge();
  }

  /** Hands over where it leads, and ends. Idempotent; at most `farewellMs`. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    if (this.#leading !== undefined && !this.view.solo) await this.#handOver();
    this.#running = false;
    this.#alarm.cancel();
    this.#parts.hubWords.withdraw(this.#options.pool);
    this.links.stop();
    this.services.close('this member stops');
    this.scopes.close();
  }

  /** Tells followers and the hub that this leader goes, and whom to turn to. */
  async #handOver(): Promise<void> {
    const { clock, log, hub } = this.#options;
    this.#heir = this.#parts.duties.heir(false) ?? '';
    this.#stopping = true;
    log.info({ heir: this.#heir }, 'hands over, and stops');
    await sayFarewell({
      ...{ services: this.services, words: this.#parts.words, hubWords: this.#parts.hubWords, clock },
      hasHub: hub.usable,
      limitMs: this.#times.farewellMs,
    });
  }

  // ── looking ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks at all that is known, and does what follows. */
  look(): void {
    this.#times = poolTimes(this.scopes.roster?.heartbeatSeconds);
    this.#lookAtLife();
    const dueMs = [this.view.solo ? this.#lookAlone() : this.#lookAround()];
    this.scopes.follow(this.#parts.source.present);
    dueMs.push(this.scopes.look(this.#now));
    if (!this.view.solo) {
      dueMs.push(this.#parts.hubWords.look());
      dueMs.push(this.services.expire(this.#times.expiryMs * FORGOTTEN_AFTER));
    }
    if (!this.view.idle) this.#parts.teller.tell(this.view.status(), this.view.cloud, this.#why);
    const nextMs = Math.min(...dueMs);
    if (nextMs < Infinity) this.#alarm.setAt(Math.max(nextMs, this.#now + 1));
  }

  /** A node without a pool reads from the hub, once it is asked for anything. */
  #lookAlone(): number {
    const { needed, hub } = this.#options;
    const isOpen = needed() && hub.usable;
    if (this.view.idle) return Infinity;
    this.#follow(isOpen ? { kind: 'cloud', epoch: 0, direct: false } : undefined);
    if (isOpen && this.scopes.synced) this.#parts.lost.end();
    else this.#lose('the hub cannot be heard');
    return this.#parts.lost.graceEndsMs;
  }

  #lookAround(): number {
    const pulseMs = this.#parts.pulse.look(this.view.needsHub);
    if (this.#parts.knowledge.look()) this.#alarm.setAt(this.#now + this.#times.returnMs);
    this.#decide();
    const roleMs = this.#leading === undefined ? this.#lookAsMember() : this.#lookAsLeader(this.#leading);
    return Math.min(pulseMs, roleMs);
  }

  /** Whether this node leads. */
  #decide(): void {
    const { role } = this.#parts;
    const circumstances = this.view.circumstances();
    const { epoch } = circumstances.appointed;
    if (role.renew(circumstances)) {
      this.#options.log.info({ epoch }, 'the hub has appointed this node, which led the pool already');
      this.services.nudge();
    }
    const end = role.whyNot(circumstances);
    if (end !== undefined) this.#stopLeading(end.why, end.to);
    const begin = role.whyBegin(circumstances);
    if (begin !== undefined) this.#lead(epoch, begin.provisional, begin.why);
  }

  #lookAsLeader(leading: NonNullable<LeaderRole['leading']>): number {
    const { hub } = this.#options;
    const { fresh } = this.#parts.pulse;
    const isReal = !leading.provisional;
    this.#follow(isReal && hub.usable ? { kind: 'cloud', epoch: leading.epoch, direct: false } : undefined);
    // Without a cloud nobody in reach has more than the one that leads.
    const isComplete = this.scopes.complete && (!fresh || !isReal || this.scopes.synced);
    if (!leading.ready && (isComplete || !fresh)) {
      this.#parts.role.becomeReady();
      this.#options.log.info(
        { epoch: leading.epoch, version: this.scopes.version },
        'ready to lead the pool',
      );
      this.scopes.becameReady();
      this.services.nudge();
    }
    const dueMs = [this.#parts.duties.probe()];
    const lostMs = hub.heardMs + this.#times.hubLostMs;
    if (fresh || !isReal) this.#parts.duties.keep();
    else if (this.#now >= lostMs) dueMs.push(this.#parts.duties.handOver());
    else dueMs.push(lostMs);
    if (!isReal && fresh) dueMs.push(this.#claim(this.#parts.knowledge.silentMs()));
    return Math.min(...dueMs);
  }

  #lookAsMember(): number {
    this.links.aim(this.#parts.knowledge.target(this.#parts.pulse.fresh));
    const dueMs = [this.links.look()];
    const { fresh } = this.#parts.pulse;
    const isGood = this.view.isGood;
    if (isGood) {
      this.#parts.lost.end();
      this.direct.drop();
      this.#parts.election.end();
      this.#parts.hubWords.contented();
    } else this.#lose(this.#why);
    if (this.#parts.knowledge.asked !== undefined && fresh) dueMs.push(this.#claim(0));
    if (this.#parts.lost.isLost) dueMs.push(fresh ? this.#lookForHub() : this.#lookForPeer());
    this.#follow(this.view.source(isGood));
    return Math.min(...dueMs);
  }

  /** Without a leader, with a hub: it is asked for another leader, and in the end for a way without one. */
  #lookForHub(): number {
    this.#parts.election.end();
    const { leader } = this.#parts.knowledge.appointed;
    const { node, pool } = this.#options;
    const dueMs: number[] = [];
    const silentMs = this.#parts.knowledge.silentMs();
    if (leader !== '' && leader !== node && this.view.mayLead) {
      if (silentMs >= this.#times.hubLostMs) dueMs.push(this.#claim(silentMs));
      else dueMs.push(this.#now + this.#times.hubLostMs - silentMs);
    }
    const { askMs, graceEndsMs } = this.#parts.lost;
    dueMs.push(this.#now >= askMs ? this.direct.want(pool) : askMs, graceEndsMs);
    return Math.min(...dueMs);
  }

  /** Without a leader and without a hub: the pool finds one by itself. */
  #lookForPeer(): number {
    const { chooseMs, graceEndsMs: nextMs } = this.#parts.lost;
    // One of another life leads all the same: this node waits for the cloud.
    if (this.links.current?.answer.status.ready === true) return nextMs;
    if (this.#now < chooseMs) return Math.min(chooseMs, nextMs);
    const { node } = this.#options;
    const electors = this.#parts.knowledge.electors(this.view.contender());
    const me = electors.find(({ name }) => name === node);
    if (me === undefined) return nextMs;
    const others = electors.filter(({ name }) => name !== node && !this.#parts.knowledge.isAvoided(name));
    return Math.min(nextMs, this.#parts.election.look({ ...me, eligible: this.view.mayLead }, others));
  }

  // ── what is known ──────────────────────────────────────────────────────────────────────────────────────────

  get #leading(): LeaderRole['leading'] {
    return this.#parts.role.leading;
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }

  // ── what happens ───────────────────────────────────────────────────────────────────────────────────────────

  #follow(wanted: WantedSource | undefined): void {
    this.#parts.source.choose(wanted, this.#connection);
  }

  #lead(epoch: number, provisional: boolean, why: string): void {
    const { counters, log } = this.#options;
    this.#parts.role.begin(epoch, provisional);
    this.#parts.lost.end();
    this.#parts.knowledge.leads();
    this.#why = why;
    counters.takeovers[provisional ? 'provisional' : 'appointed'] += 1;
    log.info({ epoch, provisional }, `leads the pool: ${why}`);
    this.#parts.election.end();
    this.direct.drop();
    // Whoever was followed, or led before, is to know that there is another one.
    this.#parts.duties.probeSoon(this.links.current?.name ?? this.#lastLeader);
    this.links.aim(undefined);
    this.links.drop('this node leads');
    this.soon();
  }

  /** @param to who leads in its place; empty: nobody that is known */
  #stopLeading(why: string, to = ''): void {
    const { epoch = 0 } = this.#leading ?? {};
    this.#why = why;
    this.#alarm.setAt(this.#parts.role.end(to));
    this.#parts.duties.keep();
    this.#options.log.info({ epoch }, `does not lead the pool any more: ${why}`);
    this.#parts.lost.begin();
    this.links.forgive();
    this.services.stopPublishing(NOT_LEADING, why);
  }

  /** In another life of the cluster nothing counts that was signed before: followers ask, and begin anew. */
  #lookAtLife(): void {
    const { life } = this.#options.checks;
    if (life === this.#life) return;
    this.#life = life;
    this.services.stopPublishing(OTHER_LIFE, 'another life of the cluster has begun');
    this.links.hurry();
  }

  #lose(why: string, silentSinceMs?: number): void {
    if (this.#parts.lost.isLost) return;
    this.#why = why;
    this.#parts.lost.begin(silentSinceMs);
  }

  #claim(silentMs: number): number {
    const { pool } = this.#options;
    return this.#parts.hubWords.claim({ pool, epoch: this.#parts.knowledge.appointed.epoch, silentMs });
  }

  #onScopes(): void {
    const { roster } = this.scopes;
    if (roster !== undefined)
      this.table.keepOnly((name) => roster.members.some((member) => member.name === name));
    this.services.check();
    this.#options.listener.onChange();
    this.soon();
  }

  #onAnswer(answer: PeerAnswer): void {
    if (!this.#parts.words.take(answer)) return;
    this.#parts.knowledge.hear(answer);
    if (this.#leading !== undefined) this.#parts.duties.hint(answer.status.leader);
    this.soon();
  }

  #onCurrent(why: string, silentSinceMs?: number): void {
    const { current } = this.links;
    if (current === undefined && this.#leading === undefined) this.#lose(why, silentSinceMs);
    if (current !== undefined) this.#lastLeader = current.name;
    this.#why = why;
    this.soon();
  }

  #onScopeEnded(source: ScopeSource, scope: string, code: string, message: string): void {
    const { log, node, pool } = this.#options;
    if (source.kind === 'leader') {
      if (ALTERED.has(code)) this.#refuse(source.name, message);
      else log.debug({ leader: source.name, scope, code }, `a scope has ended: ${message}`);
    } else {
      log.debug({ scope, code }, `the hub ended a scope: ${message}`);
      const isAll = endsAll(code, scope === poolScope(pool, POOL_RESOURCES.roster));
      if (isAll && source.direct) this.direct.fenced();
      if (isAll && this.#leading !== undefined && this.#leading.epoch === source.epoch) {
        this.#parts.role.depose(source.epoch);
        this.#stopLeading(`the hub has fenced ${node}: ${message}`);
      }
      if (ALTERED.has(code)) log.error({ scope, code }, `the hub gave what it has not signed: ${message}`);
    }
    this.soon();
  }

  /** A leader has given what the hub has not signed. */
  #refuse(leader: string, message: string): void {
    const { log, counters, listener } = this.#options;
    this.#parts.knowledge.avoid(leader, this.links.current?.answer.status.epoch ?? 0);
    counters.refusals += 1;
    log.error({ leader, code: 'ERR_SYNC_FORGED' }, `what the leader gave is refused: ${message}`);
    this.scopes.follow(undefined);
    this.#parts.source.choose(undefined, this.#connection);
    this.scopes.discard();
    listener.onRefused(leader, message);
    if (this.links.current?.name === leader) this.links.drop(`what ${leader} gave was refused`);
  }
}
