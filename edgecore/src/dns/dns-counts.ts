import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';

/** What is counted, and the values of its label. */
interface Counted {
  /** Answers by what they said. */
  readonly answers: 'noerror' | 'nodata' | 'nxdomain' | 'servfail' | 'refused' | 'formerr' | 'other';
  /** What became of questions for other servers, and how they were asked. */
  readonly forwards: 'answered' | 'refused' | 'failed' | 'tcp' | 'away' | 'full';
  readonly cache: 'hit' | 'miss' | 'stale';
  /** What was not answered at all. */
  readonly dropped: 'no-query' | 'send' | 'connections' | 'slow';
}

const VALUES: { readonly [K in keyof Counted]: readonly Counted[K][] } = {
  answers: ['noerror', 'nodata', 'nxdomain', 'servfail', 'refused', 'formerr', 'other'],
  forwards: ['answered', 'refused', 'failed', 'tcp', 'away', 'full'],
  cache: ['hit', 'miss', 'stale'],
  dropped: ['no-query', 'send', 'connections', 'slow'],
};

const METRICS = [
  ['answers', 'hawser_dns_answers_total', 'result', 'Answers to clients, by what they said.'],
  [
    'forwards',
    'hawser_dns_forwards_total',
    'result',
    'Questions for other servers: answered, refused, a server that failed, one asked again over TCP, not asked since none answers (away) or too many wait (full).',
  ],
  [
    'cache',
    'hawser_dns_cache_total',
    'result',
    'Questions for other servers that the cache had an answer to.',
  ],
  ['dropped', 'hawser_dns_dropped_total', 'why', 'Messages and connections that were not answered.'],
] as const;

/** Counts of a DNS server since its start. */
export class DnsCounts {
  readonly #counts = new Map<string, number>();

  add<K extends keyof Counted>(what: K, value: Counted[K]): void {
    const key = `${what} ${value}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get<K extends keyof Counted>(what: K, value: Counted[K]): number {
    return this.#counts.get(`${what} ${value}`) ?? 0;
  }
}

/** Figures that are read when they are printed. */
export interface DnsGauges {
  readonly services: () => number;
  readonly endpoints: () => number;
  readonly cached: () => number;
  readonly outstanding: () => number;
  readonly connections: () => number;
}

/** Registers what a DNS server counts. */
export function dnsMetrics(registry: Registry, counts: DnsCounts, gauges: DnsGauges): void {
  const registers = [registry];
  for (const [what, name, label, help] of METRICS) {
    new Counter({
      ...{ name, help, registers },
      labelNames: [label],
      collect() {
        this.reset();
        for (const value of VALUES[what]) this.inc({ [label]: value }, counts.get(what, value));
      },
    });
  }
  const read: readonly (readonly [string, string, () => number])[] = [
    ['hawser_dns_services', 'Services that have names.', gauges.services],
    ['hawser_dns_endpoints', 'Addresses of endpoints that are known.', gauges.endpoints],
    ['hawser_dns_cached_answers', 'Answers of other servers that are kept.', gauges.cached],
    ['hawser_dns_outstanding', 'Questions that other servers are being asked.', gauges.outstanding],
    ['hawser_dns_connections', 'Clients that are connected over TCP.', gauges.connections],
  ];
  for (const [name, help, value] of read) {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value());
      },
    });
  }
}
