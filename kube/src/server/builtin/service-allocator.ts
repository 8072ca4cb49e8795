import { isIPv4 } from 'node:net';
import { randomBelow, type Random } from '@hawser/seams';
import type { ObjectStore } from '../../store/store.ts';
import { number, record, records, strings } from '../draft.ts';

/** Where services get addresses and ports. */
export interface ServiceRanges {
  /** IPv4 CIDR of cluster IPs. Default 10.96.0.0/16. */
  readonly clusterCidr: string;
  /** First and last node port. Default 30000 to 32767. */
  readonly nodePorts: readonly [first: number, last: number];
}

const DEFAULT_RANGES: ServiceRanges = { clusterCidr: '10.96.0.0/16', nodePorts: [30_000, 32_767] };
const RANDOM_ATTEMPTS = 32;

/**
 * Gives cluster IPs and node ports to services. What is taken is read from the store each time; what was given to a
 * creation under way is kept beside it until that is stored or has failed.
 */
export class ServiceAllocator {
  readonly #random: Random;
  readonly #ranges: ServiceRanges;
  readonly #base: number;
  readonly #size: number;
  readonly #pending = new Set<string>();

  constructor(random: Random, ranges: Partial<ServiceRanges> = {}) {
    this.#random = random;
    this.#ranges = { ...DEFAULT_RANGES, ...ranges };
    const [address = '', bits = ''] = this.#ranges.clusterCidr.split('/');
    this.#base = ipNumber(address);
    this.#size = 2 ** (32 - Number(bits));
  }

  /** Whether an address is of the range; the first and last are not given. */
  inRange(ip: string): boolean {
    if (!isIPv4(ip)) return false;
    const offset = ipNumber(ip) - this.#base;
    return offset > 0 && offset < this.#size - 1;
  }

  /** Takes that address; false if somebody has it. */
  takeIp(store: ObjectStore, ip: string): boolean {
    if (this.#pending.has(ip) || this.#used(store).has(ip)) return false;
    this.#pending.add(ip);
    return true;
  }

  /** A free address, or undefined if there is none. */
  freeIp(store: ObjectStore): string | undefined {
    const used = this.#used(store);
    return this.#pick(used, this.#size - 2, (offset) => ipText(this.#base + 1 + offset));
  }

  /** Takes that node port; false if somebody has it. */
  takePort(store: ObjectStore, port: number): boolean {
    const key = String(port);
    if (this.#pending.has(key) || this.#used(store).has(key)) return false;
    this.#pending.add(key);
    return true;
  }

  /** A free node port, or undefined if there is none. */
  freePort(store: ObjectStore): number | undefined {
    const [first, last] = this.#ranges.nodePorts;
    const port = this.#pick(this.#used(store), last - first + 1, (offset) => String(first + offset));
    return port === undefined ? undefined : Number(port);
  }

  /** Forgets that a creation holds these: the store knows now, or it failed. */
  settle(spec: unknown): void {
    for (const key of keysOf(spec)) this.#pending.delete(key);
  }

  #pick(used: ReadonlySet<string>, size: number, make: (offset: number) => string): string | undefined {
    const free = (candidate: string): boolean => !used.has(candidate) && !this.#pending.has(candidate);
    const start = randomBelow(this.#random, size);
    for (let attempt = 0; attempt < RANDOM_ATTEMPTS; attempt += 1) {
      const candidate = make(randomBelow(this.#random, size));
      if (free(candidate)) return this.#reserve(candidate);
    }
    for (let index = 0; index < size; index += 1) {
      const candidate = make((start + index) % size);
      if (free(candidate)) return this.#reserve(candidate);
    }
    return undefined;
  }

  #reserve(key: string): string {
    this.#pending.add(key);
    return key;
  }

  #used(store: ObjectStore): Set<string> {
    const used = new Set<string>();
    for (const { object } of store.list({ group: '', resource: 'services' }).entries) {
      for (const key of keysOf(object['spec'])) used.add(key);
    }
    return used;
  }
}

function keysOf(spec: unknown): string[] {
  const { clusterIPs, ports } = record(spec);
  const nodePorts = records(ports).map(({ nodePort }) => number(nodePort));
  return [...strings(clusterIPs), ...nodePorts.filter((port) => port !== undefined).map(String)];
}

function ipNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function ipText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
