import { readFile } from 'node:fs/promises';

/** What passed in one direction. */
export interface IpTraffic {
  /** Bytes at IP level: headers of IP and above, without those of Ethernet. */
  readonly bytes: number;
  readonly packets: number;
}

/** What passed an interface. On a loopback interface everything counts on both sides. */
export interface IpCounters {
  readonly sent: IpTraffic;
  readonly received: IpTraffic;
}

/** Bytes and packets as the kernel counts them for an interface. */
export interface LinkTraffic {
  readonly bytes: number;
  readonly packets: number;
}

/**
 * The link-layer header that the kernel counts with each packet: that of Ethernet; none on loopback, which counts
 * after it was taken off (drivers/net/loopback.c).
 */
const ETHERNET_HEADER_BYTES = 14;

/** The type of a loopback interface in sysfs (linux/if_arp.h). */
const ARPHRD_LOOPBACK = 772;

/** Counters at IP level from those of an interface. */
export function ipTraffic(counted: LinkTraffic, interfaceType: 'ethernet' | 'loopback'): IpTraffic {
  const headerBytes = interfaceType === 'loopback' ? 0 : ETHERNET_HEADER_BYTES;
  return { bytes: counted.bytes - headerBytes * counted.packets, packets: counted.packets };
}

/** What passed between two readings of the same interface. */
export function ipDifference(before: IpCounters, after: IpCounters): IpCounters {
  const difference = (side: 'sent' | 'received'): IpTraffic => ({
    bytes: after[side].bytes - before[side].bytes,
    packets: after[side].packets - before[side].packets,
  });
  return { sent: difference('sent'), received: difference('received') };
}

/**
 * What passed an interface of this process's own network since boot. Everything on the machine that uses the
 * interface is counted, so for figures prefer an interface in a namespace. On a loopback interface of 64 KiB MTU
 * large writes count as few packets; their bytes come out lower than on a real network.
 * @throws the error of reading, such as ENOENT when there is no such interface
 */
export async function interfaceCounters(device = 'lo'): Promise<IpCounters> {
  const read = async (name: string): Promise<number> =>
    Number(await readFile(`/sys/class/net/${device}/${name}`, 'utf8'));
  const traffic = async (way: 'rx' | 'tx'): Promise<LinkTraffic> => ({
    bytes: await read(`statistics/${way}_bytes`),
    packets: await read(`statistics/${way}_packets`),
  });
  const [type, sent, received] = await Promise.all([read('type'), traffic('tx'), traffic('rx')]);
  const interfaceType = type === ARPHRD_LOOPBACK ? 'loopback' : 'ethernet';
  return { sent: ipTraffic(sent, interfaceType), received: ipTraffic(received, interfaceType) };
}
