import { delay, randomBelow, type Random } from '@hawser/seams';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { DEVICE, SETTINGS } from '../../src/whole-site/whole-objects.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';
import { idsInRuntime, setDesired, turn } from './views.ts';

/** Who may be killed. The line is cut, the others get SIGKILL. */
const VICTIMS = [
  'hub',
  'control plane',
  'edge',
  'edge',
  'mapper',
  'containerd',
  'container',
  'line',
] as const;
type Victim = (typeof VICTIMS)[number];

/** What somebody wants, or a device says, at the end. */
export interface Wanted {
  readonly text: string;
  readonly speed: number;
  readonly valve: number;
  readonly level: number;
}

/** Longest wait before what was killed comes back, milliseconds: some are started in the middle of the other's start. */
const LONGEST_MS = 1500;

/** Kills one or two at a time, changes things while they are away, and brings them back; as a seed decides. */
export class Killer {
  /** What it did. */
  readonly said: string[] = [];
  readonly #site: WholeSite;
  readonly #random: Random;
  #wanted: Wanted;
  #round = 0;

  constructor(site: WholeSite, random: Random, wanted: Wanted) {
    this.#site = site;
    this.#random = random;
    this.#wanted = wanted;
  }

  /** What was acknowledged last. */
  get wanted(): Wanted {
    return this.#wanted;
  }

  async round(): Promise<void> {
    this.#round += 1;
    const first = this.#pick();
    const second = this.#pick();
    const victims = first === second ? [first] : [first, second];
    const back: (() => Promise<void>)[] = [];
    for (const victim of victims) back.push(await this.#kill(victim));
    await this.#change(victims);
    await Promise.all(
      back.map(async (bring) => {
        await delay(this.#random.next() * LONGEST_MS);
        await bring();
      }),
    );
  }

  #pick(): Victim {
    return VICTIMS[randomBelow(this.#random, VICTIMS.length)] ?? 'edge';
  }

  /** @returns what brings it back */
  async #kill(victim: Victim): Promise<() => Promise<void>> {
    const { cluster, containerd, kitchen, members } = this.#site;
    this.said.push(`kill ${victim}`);
    switch (victim) {
      case 'hub':
        await cluster.killHub();
        return () => this.#site.startHub();
      case 'control plane':
        await cluster.controlPlane.kill();
        return () => cluster.startControlPlane();
      case 'edge': {
        const member = members[randomBelow(this.#random, members.length)] ?? kitchen;
        await member.edge.kill();
        return () => member.start();
      }
      case 'mapper':
        await this.#killMapper();
        return nothing;
      case 'containerd':
        await containerd.kill();
        return () => containerd.start();
      case 'container':
        await this.#killContainer();
        return nothing;
      case 'line':
        await cluster.link.cut();
        return () => cluster.link.heal();
    }
  }

  /** It is started again by its edge core; where that is away, there is none. */
  async #killMapper(): Promise<void> {
    const { edge } = this.#site.kitchen;
    if (!edge.runs) return;
    for (const { pid } of (await edge.admin.mappers()).items)
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** As a crash of it would; the edge core starts it again. */
  async #killContainer(): Promise<void> {
    const { containerd } = this.#site;
    if (containerd.pid === undefined) return;
    const [id] = [...(await idsInRuntime(this.#site)).values()];
    if (id !== undefined) await containerd.ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
  }

  /** What the victims are not needed for. */
  async #change(victims: readonly Victim[]): Promise<void> {
    const number = 1000 + this.#round;
    const { kitchen } = this.#site;
    await turn(this.#site, 'level', number);
    this.#wanted = { ...this.#wanted, level: number };
    if (!victims.includes('control plane')) {
      await this.#site.apply(configMap(SETTINGS, `text ${number}`));
      await setDesired(this.#site, String(number));
      this.#wanted = { ...this.#wanted, text: `text ${number}`, speed: number };
    }
    if (kitchen.edge.runs) {
      await kitchen.hawserOk(['device', 'set', DEVICE, `valve=${number}`, '--wait', '0']);
      this.#wanted = { ...this.#wanted, valve: number };
    }
  }
}

async function nothing(): Promise<void> {}
