import type { Credentials } from '@hawser/proto';
import { seededRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import { ModelCloud } from './model-cloud.ts';
import type { ModelResources } from './model-resources.ts';
import { VirtualLan } from './virtual-lan.ts';
import { VirtualMember } from './virtual-member.ts';

/** Settings of a {@link VirtualPool}. */
export interface VirtualPoolOptions {
  /** Time that a test moves. */
  readonly clock: Clock & { readonly advance: (byMs: number) => Promise<void> };
  /** Names of its nodes, or how many: `n1` … */
  readonly members: number | readonly string[];
  /** Default `shop`. */
  readonly pool?: string;
  /** The cluster's, and the LAN, where there are several pools; default: its own. */
  readonly resources?: ModelResources;
  readonly lan?: VirtualLan;
  readonly seed?: number;
  readonly heartbeatSeconds?: number;
  readonly credentials?: (node: string) => Credentials;
  readonly log?: Logger;
}

const SLICES = 'endpointslices.discovery.k8s.io';

/** Members of one pool in one process: a LAN and a cloud that can be cut anywhere, on a clock that a test moves. */
export class VirtualPool {
  readonly cloud: ModelCloud;
  readonly lan: VirtualLan;
  readonly random: Random;
  readonly members = new Map<string, VirtualMember>();
  /** What must not have been. */
  readonly faults: string[] = [];
  readonly #options: VirtualPoolOptions;

  constructor(options: VirtualPoolOptions) {
    const { clock, members, seed = 1, heartbeatSeconds = 5, pool = 'shop', resources, lan } = options;
    this.#options = options;
    this.random = seededRandom(seed);
    this.lan = lan ?? new VirtualLan({ clock });
    const { random } = this;
    this.cloud = new ModelCloud({
      ...{ pool, clock, random, heartbeatSeconds },
      ...(resources !== undefined && { resources }),
    });
    const names =
      typeof members === 'number' ? Array.from({ length: members }, (_, i) => `n${i + 1}`) : members;
    for (const node of names) this.add(node);
  }

  /** A node more, that does not run yet. */
  add(node: string, inPool = true): VirtualMember {
    const { clock, credentials, log, heartbeatSeconds = 5 } = this.#options;
    const { lan, cloud, random } = this;
    const member = new VirtualMember({
      ...{ node, lan, cloud, clock, random },
      noticeMs: heartbeatSeconds * 6_000,
      hubHeartbeatMs: heartbeatSeconds * 2_000,
      ...(credentials !== undefined && { credentials: () => credentials(node) }),
      ...(log !== undefined && { log }),
      onFault: (what) => this.faults.push(what),
    });
    this.members.set(node, member);
    if (inPool) cloud.add(node);
    return member;
  }

  get(node: string): VirtualMember {
    const member = this.members.get(node);
    if (member === undefined) throw new TypeError(`there is no ${node}`);
    return member;
  }

  get running(): readonly VirtualMember[] {
    return [...this.members.values()].filter(({ runs }) => runs);
  }

  /** Those that lead. */
  get leaders(): readonly string[] {
    return this.running.filter(({ leads }) => leads).map(({ node }) => node);
  }

  /** Starts all that do not run, and waits until all of them follow one leader. */
  async start(objects = 3): Promise<void> {
    for (let index = 0; index < objects; index += 1) this.write(index);
    for (const member of this.members.values()) if (!member.runs) await member.start();
    await this.until('all follow one leader', () => this.isQuiet, 30_000);
  }

  /** Stops all that run. */
  async stop(): Promise<void> {
    for (const member of this.running) member.kill();
    await this.#options.clock.advance(0);
  }

  /** Whether every running member is LIVE by the same ready leader, and has what the cloud has. */
  get isQuiet(): boolean {
    return this.isLed(this.running) && this.running.every((member) => this.hasAll(member));
  }

  /** Whether these follow one ready leader among them. */
  isLed(members: readonly VirtualMember[]): boolean {
    const [leader, ...others] = members.filter(({ leads }) => leads);
    if (leader === undefined || others.length > 0 || !leader.isReadyLeader) return false;
    return members.every(
      (member) => member === leader || (member.leader === leader.node && member.state === 'LIVE'),
    );
  }

  /** Whether a member shows what the cloud has. */
  hasAll(member: VirtualMember): boolean {
    return [...member.member.resources().keys()].every((resource) => {
      const shown = [...(member.view(resource)?.contents() ?? [])].map(
        ({ key, version }) => `${key}=${version}`,
      );
      const view = this.cloud.resources.view(`${this.cloud.pool}/${resource}`);
      const wanted = [...view.hashes()].map(([key]) => `${key}=${view.get(key)?.version ?? ''}`);
      return shown.sort().join() === wanted.sort().join();
    });
  }

  /** Writes a slice in the cloud. Answers its version. */
  write(index: number, value = `v${this.cloud.resources.version}`): string {
    return this.cloud.resources.put(SLICES, `slice-${index}`, { value });
  }

  /** Lets time pass until the condition holds. Answers after how many milliseconds it did. */
  async until(what: string, condition: () => boolean, limitMs: number, stepMs = 50): Promise<number> {
    const { clock } = this.#options;
    for (let passedMs = 0; ; passedMs += stepMs) {
      if (condition()) return passedMs;
      if (passedMs >= limitMs) throw new Error(`not within ${limitMs} ms: ${what}; ${this.describe()}`);
      await clock.advance(stepMs);
    }
  }

  /** How all stand, for messages. */
  describe(): string {
    const shown = this.running.map(({ node, state, leader, leads, member }) => {
      const { epoch = 0, provisional = false } = member.status() ?? {};
      return `${node}${leads ? '*' : ''} ${state} ${leader}/${epoch}${provisional ? 'p' : ''}`;
    });
    return `cloud ${this.cloud.leader}/${this.cloud.epoch}; ${shown.join(', ')}`;
  }
}
