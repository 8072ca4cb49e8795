import { MODEL_RESOURCES, type ModelBackup, type VirtualPool } from '@hawser/edgecore/testing/pools';
import { poolResourceName, type PoolResource } from '@hawser/sync';
import { LIES } from './pool-liars.ts';
import type { PoolSimulation } from './pool-simulation.ts';
import type { Disk, SimPoolNode } from './pool-node.ts';

/** How often each happens, of the others. */
const WEIGHTS = {
  write: 16,
  remove: 5,
  empty: 1.5,
  backup: 2,
  kill: 6,
  stop: 4,
  start: 10,
  freeze: 3,
  thaw: 5,
  cutPair: 3,
  split: 3,
  isolate: 3,
  shake: 3,
  healLan: 5,
  cutCloud: 5,
  cutAllClouds: 1.5,
  healCloud: 6,
  restartHub: 2,
  expel: 2,
  admit: 4,
  share: 2,
  skew: 2,
  refuseWrites: 1.5,
  takeWrites: 2,
  lie: 0.4,
  restore: 0.5,
} as const;

type Action = keyof typeof WEIGHTS;

const MAX_OBJECTS = 12;
const HOURS_MS = 12 * 3_600_000;
/** Shared now and then, beside those that are at first. */
const MORE: PoolResource = {
  group: '',
  version: 'v1',
  resource: 'endpoints',
  kind: 'Endpoints',
  namespaced: true,
};
const ALL: readonly PoolResource[] = [...MODEL_RESOURCES, MORE];

interface Backup {
  readonly objects: ModelBackup;
  readonly leases: ReadonlyMap<VirtualPool, { readonly leader: string; readonly epoch: number }>;
}

/** What is done to pools at random: docs/sync.md, "How it is tested". */
export class PoolActions {
  readonly #sim: PoolSimulation;
  #backup: Backup | undefined;
  #lives = 1;
  #written = 0;

  constructor(simulation: PoolSimulation) {
    this.#sim = simulation;
  }

  /** What is there at first. */
  begin(): void {
    for (let index = 0; index < 4; index += 1) this.#write();
    this.#keepBackup();
  }

  /** Does one thing. */
  async step(): Promise<void> {
    const { dice, nodes } = this.#sim;
    const action: Action = dice.weighted(WEIGHTS);
    const node = dice.pick(nodes);
    const pool = dice.pick(this.#sim.pools);
    if (node === undefined || pool === undefined) return;
    const about = await this.#do(action, this.#chosen(node), pool);
    if (about === undefined) return;
    this.#sim.met.add(action);
    this.#sim.log(`${action} ${about}`);
  }

  /** All faults end. */
  async heal(): Promise<void> {
    const { lan, liars, nodes, pools, resources } = this.#sim;
    this.#sim.log(`heal; ${this.#sim.describe()}`);
    liars.end();
    this.#sim.lanChanges += 1;
    lan.heal();
    for (const { cloud } of pools) for (const one of MODEL_RESOURCES) cloud.share(one, true);
    await this.settleStops();
    for (const node of nodes) {
      node.member.process.goOn();
      node.member.snapshots.writable = true;
      if (!node.inPool) this.#admit(node);
      await node.start();
      if (node.member.line.isCut) node.member.healCloud();
      node.keepSnapshots();
    }
    if (this.#sim.dice.chance(0.5)) resources.put(poolResourceName(MORE), 'last', { value: this.#written });
  }

  /** Waits for those that stop. */
  async settleStops(): Promise<void> {
    const { nodes } = this.#sim;
    const over = await this.#sim.pass(10_000, () => !nodes.some((node) => node.isStopping));
    if (!over) this.#sim.fail('a member does not stop');
  }

  /** More happens to leaders than to others. */
  #chosen(node: SimPoolNode): SimPoolNode {
    const { dice, nodes } = this.#sim;
    if (!dice.chance(0.35)) return node;
    return nodes.find(({ pool, member }) => pool === node.pool && member.leads) ?? node;
  }

  /** @returns what was done; undefined: nothing, as there was nothing to do */
  async #do(action: Action, node: SimPoolNode, pool: VirtualPool): Promise<string | undefined> {
    const { dice, lan, resources } = this.#sim;
    const { member, name } = node;
    switch (action) {
      case 'write':
        return this.#write();
      case 'remove':
        return this.#remove(1);
      case 'empty':
        return this.#remove(Infinity);
      case 'backup':
        this.#keepBackup();
        return String(resources.version);
      case 'kill': {
        if (!node.runs) return undefined;
        const silently = dice.chance(0.3);
        const leads = member.leads;
        node.kill(silently);
        return `${name}${leads ? ', which leads' : ''}${silently ? ', as with its power' : ''}`;
      }
      case 'stop':
        if (!node.runs || node.isFrozen) return undefined;
        void node.stop();
        return `${name}${member.leads ? ', which leads' : ''}`;
      case 'start': {
        const dead = dice.pick(
          this.#sim.nodes.filter(({ member: one, isStopping }) => !one.runs && !isStopping),
        );
        if (dead === undefined) return undefined;
        const disk = dice.weighted<Disk>({ 'as it is': 5, empty: 2, older: 3 });
        await dead.start(disk);
        return `${dead.name}, its disk ${disk}`;
      }
      case 'freeze':
        if (!node.runs || node.isFrozen) return undefined;
        member.process.stop();
        return `${name}${member.leads ? ', which leads' : ''}`;
      case 'thaw': {
        const frozen = dice.pick(this.#sim.nodes.filter(({ isFrozen }) => isFrozen));
        frozen?.member.process.goOn();
        return frozen?.name;
      }
      case 'cutPair': {
        const other = dice.pick(this.#sim.nodesOf(node.pool).filter((one) => one !== node));
        if (other === undefined) return undefined;
        lan.split([name], [other.name]);
        return `${name} ${other.name}`;
      }
      case 'split': {
        const names = this.#sim.nodesOf(node.pool).map((one) => one.name);
        const some = dice.sample(names, 1 + dice.below(names.length - 1));
        lan.split(
          some,
          names.filter((one) => !some.includes(one)),
        );
        return some.join();
      }
      case 'isolate':
        lan.isolate(name);
        return name;
      case 'shake': {
        // Heartbeats that are late, up to more than is waited for.
        const forMs = dice.between(4_000, 18_000);
        lan.isolate(name);
        const { lanChanges } = this.#sim;
        this.#sim.time.setTimer(forMs, () => {
          if (this.#sim.lanChanges === lanChanges) lan.heal(name);
        });
        return `${name} for ${forMs.toFixed(0)} ms`;
      }
      case 'healLan':
        lan.heal();
        return '';
      case 'cutCloud':
        if (member.line.isCut) return undefined;
        member.cutCloud(dice.chance(0.5));
        return `${name}${member.leads ? ', which leads' : ''}`;
      case 'cutAllClouds': {
        const noticed = dice.chance(0.5);
        for (const one of this.#sim.nodes) if (!one.member.line.isCut) one.member.cutCloud(noticed);
        return noticed ? 'noticed' : 'unnoticed';
      }
      case 'healCloud': {
        const all = dice.chance(0.3);
        for (const one of this.#sim.nodes) if (all || one === node) one.member.healCloud();
        return all ? 'all' : name;
      }
      case 'restartHub':
        this.#restartHub(() => pool.cloud.restarted(), pool);
        return pool.cloud.pool;
      case 'expel':
        if (!node.inPool) return undefined;
        if (this.#sim.nodesOf(node.pool).filter(({ inPool }) => inPool).length < 3) return undefined;
        node.inPool = false;
        node.pool.cloud.remove(name);
        return `${name}${member.leads ? ', which leads' : ''}`;
      case 'admit': {
        const outside = dice.pick(this.#sim.nodes.filter(({ inPool }) => !inPool));
        if (outside !== undefined) this.#admit(outside);
        return outside?.name;
      }
      case 'share': {
        const resource = dice.pick(ALL) ?? MORE;
        const isShared = !pool.cloud.sharedNames.includes(poolResourceName(resource));
        pool.cloud.share(resource, isShared);
        return `${poolResourceName(resource)} ${isShared ? '' : 'no longer '}in ${pool.cloud.pool}`;
      }
      case 'skew':
        member.process.skewMs = dice.between(-HOURS_MS, HOURS_MS);
        return name;
      case 'refuseWrites':
        member.snapshots.writable = false;
        return name;
      case 'takeWrites':
        for (const one of this.#sim.nodes) one.member.snapshots.writable = true;
        return '';
      case 'lie': {
        const liar = this.#sim.nodes.find((one) => one.member.leads && one.pool === node.pool);
        const lie = dice.pick(LIES);
        if (liar === undefined || lie === undefined) return undefined;
        this.#sim.liars.lie(liar.name, lie);
        return `${liar.name} ${lie}`;
      }
      case 'restore':
        return this.#restore();
    }
  }

  #write(): string {
    const { dice, resources } = this.#sim;
    const resource = poolResourceName(dice.pick(ALL) ?? MORE);
    let shown = '';
    for (let count = dice.pick([1, 1, 1, 2, 5]) ?? 1; count > 0; count -= 1) {
      this.#written += 1;
      // Now and then it is as it was.
      const value = dice.chance(0.1) ? 0 : this.#written;
      const name = `o${dice.below(MAX_OBJECTS)}`;
      shown += ` ${name}@${resources.put(resource, name, { value })}`;
    }
    return `${resource}${shown}`;
  }

  #remove(count: number): string {
    const { dice, resources, signed } = this.#sim;
    const resource = poolResourceName(dice.pick(ALL) ?? MORE);
    const names = dice.sample(resources.names(resource), count);
    for (const name of names) signed.remove(resource, name);
    return `${resource} ${names.join()}@${resources.version}`;
  }

  #admit(node: SimPoolNode): void {
    node.inPool = true;
    node.pool.cloud.add(node.name);
  }

  #keepBackup(): void {
    const { resources, pools, nodes } = this.#sim;
    const leases = pools.map((pool) => {
      const { leader, epoch } = pool.cloud;
      return [pool, { leader, epoch }] as const;
    });
    this.#backup = { objects: resources.backup(), leases: new Map(leases) };
    for (const node of nodes) node.keepSnapshots();
  }

  /** Its sessions end, and begin again, of each member up to so much later. */
  #restartHub(meanwhile: () => void, pool?: VirtualPool, lateMs = 0): void {
    const reached = this.#sim.nodes.filter(
      (node) => !node.member.line.isCut && (pool === undefined || node.pool === pool),
    );
    for (const { member } of reached) member.cutCloud(true);
    meanwhile();
    for (const { member } of reached) {
      if (lateMs === 0) member.healCloud();
      else this.#healLater(member, lateMs);
    }
  }

  /** Unless all ways to the cloud have been cut before. */
  #healLater(member: SimPoolNode['member'], lateMs: number): void {
    const { time, dice, cloudCuts } = this.#sim;
    time.setTimer(dice.between(0, lateMs), () => {
      if (this.#sim.cloudCuts === cloudCuts) member.healCloud();
    });
  }

  #restore(): string | undefined {
    const backup = this.#backup;
    if (backup === undefined) return undefined;
    const { resources, pools, dice } = this.#sim;
    this.#lives += 1;
    const begin = (): void => {
      resources.beginLife(`life-${this.#lives}`, backup.objects);
      for (const pool of pools) {
        const { leader, epoch } = backup.leases.get(pool) ?? { leader: '', epoch: 0 };
        pool.cloud.restored(leader, epoch);
      }
    };
    // Not all of them hear of the new life at the same time.
    this.#restartHub(begin, undefined, dice.pick([0, 500, 10_000]));
    return `of ${backup.objects.version}`;
  }
}
