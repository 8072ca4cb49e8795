import { randomBelow, type Random } from '@hawser/seams';
import type { Answered, AnswerRecord, RecordData } from './answer-record.ts';
import {
  labelOf,
  type NameIndex,
  type PortEntry,
  type ServedEndpoint,
  type ServiceEntry,
} from './name-index.ts';
import { dashedAddress, isBelow, reverseAddress } from './names.ts';
import type { Question } from './query.ts';
import { RCODE, TYPE } from './record-types.ts';

/** Settings of {@link ClusterZone}. */
export interface ClusterZoneOptions {
  readonly index: NameIndex;
  /** `cluster.local`, lower-case. */
  readonly domain: string;
  /** Addresses of this server; none where it listens on all. */
  readonly addresses: () => readonly string[];
  /** Changes with the contents; 32 bits. */
  readonly serial: () => number;
  readonly random: Random;
}

/** What the zone says; `follow`: the answer goes on with this name, which may be of another zone. */
export interface ZoneAnswer extends Answered {
  readonly follow?: string;
}

/** Seconds; what CoreDNS has. Also how long it may be said that there is nothing. */
export const ZONE_TTL = 5;
/** Of the specification that this follows. */
const SCHEMA_VERSION = '1.1.0';
/** Of all ways to a Service together. Source: CoreDNS, plugin/pkg/dnsutil and etcd/msg: the same numbers. */
const SRV = { priority: 0, weight: 100 };
/** One more than 64 KiB have place for, so that it is seen that there are more. */
const MAX_RECORDS = 4097;
/** Records of SRV whose targets are said as well. */
const MAX_TARGETS = 500;

/**
 * Names of the cluster, as the Kubernetes specification "DNS-Based Service Discovery", 1.1.0, has them, and where that is
 * silent, as CoreDNS with `pods insecure`: SRV of a Service without a port named lists all of its ports; a label of an
 * endpoint without a host name is its address with dashes; `10-1-2-3.<namespace>.pod` is the address that it says.
 *
 * A name that has others below it exists, without records of its own: NODATA. A headless Service without an endpoint
 * that is ready does not (NXDOMAIN, as the specification says).
 */
export class ClusterZone {
  readonly #options: ClusterZoneOptions;
  readonly #domain: readonly string[];

  constructor(options: ClusterZoneOptions) {
    this.#options = options;
    this.#domain = options.domain.split('.');
  }

  /** Whether a name is of this zone. */
  owns(labels: readonly string[]): boolean {
    return isBelow(labels, this.#domain);
  }

  /** The answer to a question about a name of this zone. */
  answer({ labels, type }: Question): ZoneAnswer {
    const rest = labels.slice(0, labels.length - this.#domain.length);
    switch (rest.at(-1)) {
      case undefined:
        return this.#apex(type);
      case 'svc':
        return this.#inServices(rest.slice(0, -1), type);
      case 'pod':
        return this.#inPods(rest.slice(0, -1), type);
      case 'dns':
        return this.#ofServer(rest.slice(0, -1), type);
      case 'dns-version':
        if (rest.length > 1) return this.#none();
        return this.#some(type === TYPE.TXT ? [this.#record('TXT', this.#name(rest), [SCHEMA_VERSION])] : []);
      default:
        return this.#none();
    }
  }

  /** The answer to a question about a name of a reverse zone; undefined: others know. */
  reverse({ labels, type }: Question): ZoneAnswer | undefined {
    const address = reverseAddress(labels);
    if (address === undefined) return undefined;
    const names = this.#namesAt(address);
    if (names.length === 0) return undefined;
    const owner = labels.join('.');
    return this.#some(type === TYPE.PTR ? names.map((name) => this.#record('PTR', owner, name)) : []);
  }

  #namesAt(address: string): readonly string[] {
    const { index } = this.#options;
    const services = index.atAddress(address);
    const own = services.filter(({ kind }) => kind === 'cluster');
    if (own.length > 0) return own.map((service) => this.#serviceName(service));
    const names = services.flatMap((service) =>
      index
        .served(service)
        .filter(({ endpoint }) => endpoint.address === address)
        .map(({ endpoint }) => `${labelOf(endpoint)}.${this.#serviceName(service)}`),
    );
    return [...new Set(names)];
  }

  #apex(type: number): ZoneAnswer {
    if (type === TYPE.SOA) return this.#some([this.#soa()]);
    if (type !== TYPE.NS) return this.#some([]);
    const additionals = this.#hosts(this.#name(['ns', 'dns']), this.#options.addresses());
    return {
      ...this.#some([this.#record('NS', this.#options.domain, this.#name(['ns', 'dns']))]),
      additionals,
    };
  }

  #ofServer(rest: readonly string[], type: number): ZoneAnswer {
    if (rest.length === 0) return this.#some([]);
    if (rest.length > 1 || rest[0] !== 'ns') return this.#none();
    return this.#some(this.#hosts(this.#name(['ns', 'dns']), this.#options.addresses(), type));
  }

  #inPods(rest: readonly string[], type: number): ZoneAnswer {
    const [first, ...others] = rest;
    if (others.length > 1) return this.#none();
    if (first === undefined || others.length === 0) return this.#some([]);
    const address = dashedAddress(first);
    if (address === undefined) return this.#none();
    return this.#some(this.#hosts(this.#name([...rest, 'pod']), [address], type));
  }

  /** @param rest labels before `svc` */
  #inServices(rest: readonly string[], type: number): ZoneAnswer {
    const { index } = this.#options;
    const [namespace, name, third, fourth, ...more] = rest.toReversed();
    if (namespace === undefined) return this.#some([]);
    if (name === undefined) return index.hasNamespace(namespace) ? this.#some([]) : this.#none();
    const service = index.service(namespace, name);
    if (service === undefined || more.length > 0) return this.#none();
    if (service.kind === 'external') return third === undefined ? this.#external(service) : this.#none();
    const endpoints = service.kind === 'headless' ? index.served(service) : undefined;
    if (third === undefined) return this.#service(service, endpoints, type);
    if (third.startsWith('_'))
      return this.#ports(service, endpoints, { protocol: third, port: fourth }, type);
    return fourth === undefined && endpoints !== undefined
      ? this.#endpoint(service, endpoints, third, type)
      : this.#none();
  }

  #external(service: ServiceEntry): ZoneAnswer {
    const { externalName } = service;
    if (externalName === '') return this.#some([]);
    const record = this.#record('CNAME', this.#serviceName(service), externalName);
    return { ...this.#some([record]), follow: externalName };
  }

  #service(
    service: ServiceEntry,
    endpoints: readonly ServedEndpoint[] | undefined,
    type: number,
  ): ZoneAnswer {
    const owner = this.#serviceName(service);
    if (endpoints?.length === 0) return this.#none();
    if (type === TYPE.SRV) return this.#srv(owner, service, endpoints, () => true);
    const addresses = endpoints?.map(({ endpoint }) => endpoint.address) ?? service.addresses;
    return this.#some(this.#hosts(owner, addresses, type));
  }

  #endpoint(
    service: ServiceEntry,
    endpoints: readonly ServedEndpoint[],
    label: string,
    type: number,
  ): ZoneAnswer {
    const addresses = endpoints
      .filter(({ endpoint }) => labelOf(endpoint) === label)
      .map(({ endpoint }) => endpoint.address);
    if (addresses.length === 0) return this.#none();
    return this.#some(this.#hosts(`${label}.${this.#serviceName(service)}`, addresses, type));
  }

  /** `_<port>._<protocol>`, and `_<protocol>` alone, which has only names below it. */
  #ports(
    service: ServiceEntry,
    endpoints: readonly ServedEndpoint[] | undefined,
    asked: { readonly protocol: string; readonly port: string | undefined },
    type: number,
  ): ZoneAnswer {
    const isAsked = ({ name, protocol }: PortEntry): boolean =>
      name !== '' &&
      asked.protocol === `_${protocol}` &&
      (asked.port === undefined || asked.port === `_${name}`);
    const isThere =
      endpoints === undefined
        ? service.ports.some(isAsked)
        : endpoints.some(({ ports }) => ports.some(isAsked));
    if (!isThere) return this.#none();
    if (asked.port === undefined || type !== TYPE.SRV) return this.#some([]);
    const owner = `${asked.port}.${asked.protocol}.${this.#serviceName(service)}`;
    return this.#srv(owner, service, endpoints, isAsked);
  }

  #srv(
    owner: string,
    service: ServiceEntry,
    endpoints: readonly ServedEndpoint[] | undefined,
    isAsked: (port: PortEntry) => boolean,
  ): ZoneAnswer {
    const target = this.#serviceName(service);
    const ways =
      endpoints === undefined
        ? service.ports.filter(isAsked).map(({ port }) => ({ port, target }))
        : endpoints.flatMap(({ endpoint, ports }) => {
            const label = labelOf(endpoint);
            return ports.filter(isAsked).map(({ port }) => ({ port, target: `${label}.${target}` }));
          });
    const distinct = [...new Map(ways.map((way) => [`${way.port} ${way.target}`, way])).values()];
    const weight = Math.max(1, Math.floor(SRV.weight / Math.max(1, distinct.length)));
    const answers = this.#pick(distinct).map((way) => this.#record('SRV', owner, { ...SRV, weight, ...way }));
    // Where there are so many, the answer has no place for more than them.
    const additionals = distinct.length > MAX_TARGETS ? [] : this.#targets(target, service, endpoints);
    return { ...this.#some(answers), additionals };
  }

  /** Addresses of what SRV records point at. */
  #targets(
    target: string,
    service: ServiceEntry,
    endpoints: readonly ServedEndpoint[] | undefined,
  ): readonly AnswerRecord[] {
    if (endpoints === undefined) return this.#hosts(target, service.addresses);
    const distinct = new Map(
      endpoints.map(({ endpoint }) => [`${endpoint.hostname} ${endpoint.address}`, endpoint]),
    );
    return this.#pick([...distinct.values()]).map((endpoint) =>
      this.#host(`${labelOf(endpoint)}.${target}`, endpoint.address),
    );
  }

  /** Records of addresses, in any order. @param type only of this one; default: both */
  #hosts(owner: string, addresses: readonly string[], type?: number): AnswerRecord[] {
    const wanted = [...new Set(addresses)].filter(
      (address) => type === undefined || typeOf(address) === type,
    );
    return this.#pick(wanted).map((address) => this.#host(owner, address));
  }

  #host(owner: string, address: string): AnswerRecord {
    return this.#record(isV6(address) ? 'AAAA' : 'A', owner, address);
  }

  /** All of them in any order, but no more than any answer has place for. Fisher and Yates, as far as needed. */
  #pick<T>(items: T[]): T[] {
    const { random } = this.#options;
    const most = Math.min(items.length, MAX_RECORDS);
    for (let index = 0; index < most; index += 1) {
      const other = index + randomBelow(random, items.length - index);
      const [a, b] = [items[index], items[other]] as [T, T]; // both are places of the array
      items[index] = b;
      items[other] = a;
    }
    return items.length > most ? items.slice(0, most) : items;
  }

  #some(answers: readonly AnswerRecord[]): ZoneAnswer {
    const base = { rcode: RCODE.NOERROR, authoritative: true, answers };
    return answers.length > 0 ? base : { ...base, authorities: [this.#soa()] };
  }

  #none(): ZoneAnswer {
    return { rcode: RCODE.NXDOMAIN, authoritative: true, answers: [], authorities: [this.#soa()] };
  }

  #soa(): AnswerRecord {
    return this.#record('SOA', this.#options.domain, {
      mname: this.#name(['ns', 'dns']),
      rname: this.#name(['hostmaster']),
      serial: this.#options.serial(),
      ...{ refresh: 7200, retry: 1800, expire: 86_400, minimum: ZONE_TTL },
    });
  }

  #record<T extends AnswerRecord['type']>(type: T, name: string, data: RecordData<T>): AnswerRecord {
    return { type, name, ttl: ZONE_TTL, data } as AnswerRecord; // data is that of the type
  }

  #serviceName({ namespace, name }: ServiceEntry): string {
    return `${name}.${namespace}.svc.${this.#options.domain}`;
  }

  #name(labels: readonly string[]): string {
    return `${labels.join('.')}.${this.#options.domain}`;
  }
}

/** Addresses are as `normalAddress` writes them. */
function isV6(address: string): boolean {
  return address.includes(':');
}

function typeOf(address: string): number {
  return isV6(address) ? TYPE.AAAA : TYPE.A;
}
