import { createHash } from 'node:crypto';
import type { Backend, Family, PortRules } from './proxy-objects.ts';

/** Name of the tables that everything is in. */
export const TABLE = 'hawser-proxy';

/** What one port of a Service needs, as lines of nftables. */
interface PortText {
  readonly family: Family;
  /** Names of its chains and sets. */
  readonly chains: readonly string[];
  readonly sets: readonly string[];
  /** Declarations and rules, in order; all can be said again. */
  readonly lines: readonly string[];
  /** Elements of the maps. */
  readonly elements: readonly { readonly map: string; readonly element: string }[];
}

const FAMILIES = ['ip', 'ip6'] as const;
const MAPS = ['service-ips', 'no-endpoints', 'service-nodeports', 'no-endpoint-nodeports'] as const;
/** A bit of the mark that no other program here uses; kube-proxy's own. */
const MASQUERADE = '0x4000';

/**
 * The rules of all Services, kept up piece by piece: what is known of a Service is text that is made when it changes, and
 * a ruleset is those texts in a row. Addresses of clients that stay with a backend outlive a new ruleset.
 */
export class Ruleset {
  readonly #texts = new Map<string, readonly PortText[]>();
  /** Names in the kernel's tables since the last {@link transaction}. */
  #applied: ReadonlySet<string> | undefined;
  /** Services whose text was made, since the start. */
  made = 0;

  /** Sets what a Service needs; nothing takes it away. @param key `namespace/name` */
  put(key: string, ports: readonly PortRules[]): void {
    this.made += 1;
    if (ports.length === 0) this.#texts.delete(key);
    else this.#texts.set(key, ports.map(portText));
  }

  /** All of it, for a kernel that has nothing of it, or anything: `nft -f` puts it in the place of what there is. */
  whole(): string {
    const fresh = FAMILIES.flatMap((family) => [
      `add table ${family} ${TABLE}`,
      `delete table ${family} ${TABLE}`,
    ]);
    return text([...fresh, ...this.#body([])]);
  }

  /**
   * All of it, for a kernel that has what the last transaction said: sets of clients stay as they are. The first one is
   * the whole. To be called {@link done} when it was applied.
   */
  transaction(): string {
    const applied = this.#applied;
    if (applied === undefined) return this.whole();
    const stale = [...applied].filter((name) => !this.#names().has(name));
    return text(this.#body(stale));
  }

  /** The kernel has what was said last; `false`: nobody knows what it has. */
  done(isApplied: boolean): void {
    this.#applied = isApplied ? this.#names() : undefined;
  }

  #names(): Set<string> {
    const names = new Set<string>();
    for (const ports of this.#texts.values()) {
      for (const { family, chains, sets } of ports) {
        for (const chain of chains) names.add(`chain ${family} ${TABLE} ${chain}`);
        for (const set of sets) names.add(`set ${family} ${TABLE} ${set}`);
      }
    }
    return names;
  }

  #body(stale: readonly string[]): string[] {
    const ports = [...this.#texts.values()].flat();
    const elements = new Map<string, string[]>();
    for (const { family, elements: own } of ports) {
      for (const { map, element } of own) {
        const key = `${family} ${TABLE} ${map}`;
        elements.set(key, [...(elements.get(key) ?? []), element]);
      }
    }
    return [
      ...FAMILIES.flatMap(baseLines),
      ...ports.flatMap(({ lines }) => lines),
      ...[...elements].map(([map, all]) => `add element ${map} { ${all.join(', ')} }`),
      // Nothing refers to them any more: chains before the sets that their rules named.
      ...stale.toSorted().map((name) => `delete ${name}`),
    ];
  }
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** The tables, empty of rules, with what does not depend on Services. */
function baseLines(family: Family): string[] {
  const table = `${family} ${TABLE}`;
  const address = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const key = `${family} daddr . meta l4proto . th dport`;
  const local = 'fib daddr type local meta l4proto . th dport';
  const hook = (chain: string, type: string, at: string): string =>
    `add chain ${table} ${chain} { type ${type} hook ${at}; }`;
  return [
    `add table ${table}`,
    `flush table ${table}`,
    ...MAPS.flatMap((map) => {
      const of = map.endsWith('nodeports')
        ? 'inet_proto . inet_service'
        : `${address} . inet_proto . inet_service`;
      return [`add map ${table} ${map} { type ${of} : verdict; }`, `flush map ${table} ${map}`];
    }),
    ...['services', 'refused', 'refuse'].map((chain) => `add chain ${table} ${chain}`),
    hook('nat-prerouting', 'nat', 'prerouting priority -100'),
    hook('nat-output', 'nat', 'output priority -100'),
    hook('nat-postrouting', 'nat', 'postrouting priority 100'),
    hook('filter-input', 'filter', 'input priority 0'),
    hook('filter-forward', 'filter', 'forward priority 0'),
    hook('filter-output', 'filter', 'output priority 0'),
    `add rule ${table} nat-prerouting jump services`,
    `add rule ${table} nat-output jump services`,
    `add rule ${table} nat-postrouting meta mark and ${MASQUERADE} == ${MASQUERADE} masquerade`,
    `add rule ${table} services ${key} vmap @service-ips`,
    `add rule ${table} services ${local} vmap @service-nodeports`,
    ...['filter-input', 'filter-forward', 'filter-output'].map(
      (chain) => `add rule ${table} ${chain} jump refused`,
    ),
    `add rule ${table} refused ${key} vmap @no-endpoints`,
    `add rule ${table} refused ${local} vmap @no-endpoint-nodeports`,
    `add rule ${table} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ${table} refuse reject`,
  ];
}

function portText(rules: PortRules): PortText {
  const { family, name, clusterIp, protocol, port, nodePort, backends } = rules;
  const service = `svc-${hash(name)}`;
  const at = `${clusterIp} . ${protocol} . ${port}`;
  if (backends.length === 0) {
    return {
      ...{ family, chains: [], sets: [], lines: [] },
      elements: [
        { map: 'no-endpoints', element: `${at} : goto refuse` },
        ...(nodePort > 0
          ? [{ map: 'no-endpoint-nodeports', element: `${protocol} . ${nodePort} : goto refuse` }]
          : []),
      ],
    };
  }
  const external = `ext-${hash(name)}`;
  const ways = backends.map((backend) => backendText(rules, backend));
  const table = `${family} ${TABLE}`;
  const choices = ways.map(({ chain }, index) => `${index} : goto ${chain}`).join(', ');
  return {
    family,
    chains: [service, ...(nodePort > 0 ? [external] : []), ...ways.map(({ chain }) => chain)],
    sets: ways.flatMap(({ set }) => (set === undefined ? [] : [set])),
    lines: [
      ...ways.flatMap(({ lines }) => lines),
      `add chain ${table} ${service}`,
      // Who stays with a backend goes there, as long as it is one.
      ...ways.flatMap(({ set, chain }) =>
        set === undefined ? [] : [`add rule ${table} ${service} ${family} saddr @${set} goto ${chain}`],
      ),
      `add rule ${table} ${service} numgen random mod ${ways.length} vmap { ${choices} }`,
      ...(nodePort > 0
        ? [
            `add chain ${table} ${external}`,
            `add rule ${table} ${external} meta mark set meta mark or ${MASQUERADE} goto ${service}`,
          ]
        : []),
    ],
    elements: [
      { map: 'service-ips', element: `${at} : goto ${service}` },
      ...(nodePort > 0
        ? [{ map: 'service-nodeports', element: `${protocol} . ${nodePort} : goto ${external}` }]
        : []),
    ],
  };
}

function backendText(
  { family, name, protocol, affinitySeconds }: PortRules,
  { address, port }: Backend,
): { readonly chain: string; readonly set: string | undefined; readonly lines: readonly string[] } {
  const id = hash(`${name} ${address} ${port}`);
  const table = `${family} ${TABLE}`;
  const chain = `ep-${id}`;
  const set = affinitySeconds > 0 ? `stay-${id}` : undefined;
  const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const to = family === 'ip' ? `${address}:${port}` : `[${address}]:${port}`;
  const lines = [
    `add chain ${table} ${chain}`,
    // One that reaches itself by way of the Service has to see answers, too.
    `add rule ${table} ${chain} ${family} saddr ${address} meta mark set meta mark or ${MASQUERADE}`,
    ...(set === undefined
      ? []
      : [
          `add set ${table} ${set} { type ${type}; flags dynamic,timeout; timeout ${affinitySeconds}s; }`,
          `add rule ${table} ${chain} update @${set} { ${family} saddr }`,
        ]),
    `add rule ${table} ${chain} meta l4proto ${protocol} dnat to ${to}`,
  ];
  return { chain, set, lines };
}

function hash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 12);
}
