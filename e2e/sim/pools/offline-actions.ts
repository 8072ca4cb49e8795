import type { VirtualMember, VirtualPool } from '@hawser/edgecore/testing/pools';
import { POOL_RESOURCES, type PoolRoster } from '@hawser/sync';
import type { SimPoolNode } from './pool-node.ts';
import type { PoolSimulation } from './pool-simulation.ts';

/** How long parts of a pool may take to find a leader after the cut, which may go unnoticed at first. */
const SETTLED_MS = 120_000;
/** Both ends notice a cut by then. */
const NOTICED_MS = 45_000;
/** And after each change from then on: P7 and P8 of the pool's requirements. */
const LED_MS = 20_000;

const LOOK_EVERY_MS = 250;

/** A pool without a cloud, in parts: each has one leader, soon after whatever happens. */
export class OfflineActions {
  readonly #sim: PoolSimulation;
  #parts: readonly (readonly SimPoolNode[])[] = [];

  constructor(simulation: PoolSimulation) {
    this.#sim = simulation;
  }

  /** Cuts everything off, and lets things happen to it. */
  async run(): Promise<void> {
    const { dice, nodes, liars } = this.#sim;
    const hasLied = nodes.some(({ member }) => member.runs && member.member.problems().length > 0);
    liars.end();
    this.#sim.cloudCuts += 1;
    for (const { member } of nodes) {
      member.process.goOn();
      member.snapshots.writable = true;
    }
    const noticed = dice.chance(0.5);
    for (const { member } of nodes) if (!member.line.isCut) member.cutCloud(noticed);
    this.#divide();
    // Who avoids a liar may have nobody to follow for a while.
    if (hasLied) return;
    await this.#becomeLed(SETTLED_MS, 'offline');
    // Until nobody believes in a cloud any more.
    await this.#sim.pass(NOTICED_MS);
    await this.#becomeLed(SETTLED_MS, 'offline for a while');
    for (let changes = 1 + dice.below(3); changes > 0 && !this.#sim.hasFailed(); changes -= 1) {
      const about = await this.#change();
      if (about === undefined) continue;
      await this.#becomeLed(LED_MS, about);
    }
  }

  async #becomeLed(limitMs: number, about: string): Promise<void> {
    const beganMs = this.#sim.time.monotonicMs();
    this.#sim.log(about);
    const isLed = (): boolean => this.#pieces().every(({ pool, nodes }) => this.#isLed(pool, nodes));
    const led = await this.#sim.pass(limitMs, isLed, LOOK_EVERY_MS);
    if (this.#sim.hasFailed()) return;
    const tookMs = this.#sim.time.monotonicMs() - beganMs;
    if (!led) this.#sim.fail(`no leader within ${limitMs} ms after ${about}: ${this.#sim.describe()}`);
    else this.#sim.log(`led ${tookMs} ms after ${about}`);
    if (limitMs !== SETTLED_MS) this.#sim.slowestMs = Math.max(this.#sim.slowestMs, tookMs);
  }

  /** Those that reach each other, run, and are members of one pool by the newest word of it that one of them has. */
  #pieces(): readonly { readonly pool: VirtualPool; readonly nodes: readonly SimPoolNode[] }[] {
    return this.#sim.pools.flatMap((pool) =>
      this.#parts.flatMap((part) => {
        const running = part.filter((node) => node.pool === pool && node.runs);
        const { members } = this.#newestRoster(running) ?? { members: [] };
        const isListed = (node: SimPoolNode, eligible: boolean): boolean =>
          members.some((one) => one.name === node.name && (one.eligible || !eligible));
        const nodes = running.filter((node) => node.member.member.roster && isListed(node, false));
        return nodes.some((node) => isListed(node, true)) ? [{ pool, nodes }] : [];
      }),
    );
  }

  #newestRoster(nodes: readonly SimPoolNode[]): PoolRoster | undefined {
    const versionOf = ({ member }: SimPoolNode): number =>
      Number(member.view(POOL_RESOURCES.roster)?.version ?? 0);
    const known = nodes.filter(({ member }) => member.member.roster !== undefined);
    return known.sort((one, other) => versionOf(other) - versionOf(one))[0]?.member.member.roster;
  }

  /**
   * Of two lives of the cluster only one can have its leader, from whom the others take nothing. They follow it all the same,
   * but for those that may not lead themselves and know of a higher epoch.
   */
  #isLed(pool: VirtualPool, nodes: readonly SimPoolNode[]): boolean {
    const members = nodes.map(({ member }) => member);
    const leader = members.find(({ leads }) => leads);
    const isOfItsLife = (member: VirtualMember): boolean => member.life === leader?.life;
    return (
      pool.isLed(members.filter(isOfItsLife)) &&
      members.every((member) => isOfItsLife(member) || member.leader === leader?.node || !mayLead(member))
    );
  }

  #divide(): void {
    const { dice, nodes, lan } = this.#sim;
    const count = dice.pick([1, 1, 2, 2, 3]) ?? 1;
    const parts: SimPoolNode[][] = Array.from({ length: count }, () => []);
    for (const node of nodes) dice.pick(parts)?.push(node);
    this.#parts = parts;
    this.#sim.lanChanges += 1;
    lan.heal();
    lan.split(...parts.map((part) => part.map(({ name }) => name)));
    this.#sim.log(`parts: ${parts.map((part) => part.map(({ name }) => name).join()).join(' | ')}`);
  }

  /** @returns what has changed; undefined: nothing */
  async #change(): Promise<string | undefined> {
    const { dice, nodes, met } = this.#sim;
    const leaders = nodes.filter(({ member, runs }) => runs && member.leads);
    const leader = dice.pick(leaders);
    const what = dice.weighted({ kill: 3, unplug: 2, stop: 2, start: 2, divide: 3, isolate: 1 });
    met.add(`offline ${what}`);
    switch (what) {
      case 'kill':
      case 'unplug':
        leader?.kill(what === 'unplug');
        return leader && `${what} ${leader.name}`;
      case 'stop':
        void leader?.stop();
        return leader && `stop ${leader.name}`;
      case 'start': {
        const dead = dice.pick(nodes.filter(({ member, isStopping }) => !member.runs && !isStopping));
        await dead?.start(dice.chance(0.3) ? 'older' : 'as it is');
        return dead && `start ${dead.name}`;
      }
      case 'divide':
        this.#divide();
        return 'other parts';
      case 'isolate': {
        if (leader === undefined) return undefined;
        const rest = this.#parts.map((part) => part.filter((node) => node !== leader));
        this.#parts = [...rest, [leader]];
        // Those that do not run too: they may be started.
        this.#sim.lan.split(
          [leader.name],
          nodes.flatMap(({ name }) => (name === leader.name ? [] : [name])),
        );
        return `isolate ${leader.name}`;
      }
    }
  }
}

function mayLead({ node, member }: VirtualMember): boolean {
  return member.roster?.members.some(({ name, eligible }) => name === node && eligible) ?? false;
}
