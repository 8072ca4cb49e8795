import { readFileSync } from 'node:fs';

/** What a machine uses as a whole. Times are wall milliseconds, sizes bytes. */
export interface ProcUsage {
  readonly atMs: number;
  readonly bootMs: number;
  /** Nanoseconds of CPU since the boot, of all cores. */
  readonly cpuNanos: number;
  readonly memory: {
    readonly totalBytes: number;
    readonly usageBytes: number;
    /** Without what the kernel would give up first. */
    readonly workingSetBytes: number;
    readonly rssBytes: number;
    readonly pageFaults: number;
    readonly majorPageFaults: number;
  };
  readonly swap: { readonly totalBytes: number; readonly usedBytes: number };
  /** Interfaces but loopback and the ends of pods; the one with the default route first. */
  readonly interfaces: readonly InterfaceUsage[];
}

/** Bytes and errors of one interface since it is there. */
export interface InterfaceUsage {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** A tick of `/proc/stat`. Source: proc(5), USER_HZ, which is 100 on all architectures that Node.js runs on. */
const TICK_NANOS = 10_000_000;
/** Source: kubelet's cAdvisor: what is not the machine's own. */
const NOT_OURS = /^(lo|veth|cali|cni|docker|br-|dummy)/;

/**
 * Reads what the machine uses from /proc: no cgroup, so that it is the same on v1 and v2.
 * @param root prefix of `/proc`, for tests
 * @throws what the file system says: without /proc there is nothing to tell
 */
export function readProcUsage(nowMs: number, root = ''): ProcUsage {
  const read = (path: string): string => readFileSync(`${root}/proc/${path}`, 'latin1');
  const stat = read('stat');
  const memory = numbers(read('meminfo'), /^(\w+(?:\(\w+\))?):\s+(\d+)/gm, 1024);
  const faults = numbers(read('vmstat'), /^(\w+) (\d+)/gm, 1);
  const { MemTotal: totalBytes = 0, MemFree: freeBytes = 0, AnonPages: rssBytes = 0 } = memory;
  const usageBytes = totalBytes - freeBytes;
  return {
    atMs: nowMs,
    bootMs: Number(/^btime (\d+)/m.exec(stat)?.[1] ?? 0) * 1000,
    cpuNanos: busyTicks(stat) * TICK_NANOS,
    memory: {
      totalBytes,
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - (memory['Inactive(file)'] ?? 0)),
      rssBytes,
      pageFaults: faults['pgfault'] ?? 0,
      majorPageFaults: faults['pgmajfault'] ?? 0,
    },
    swap: {
      totalBytes: memory['SwapTotal'] ?? 0,
      usedBytes: (memory['SwapTotal'] ?? 0) - (memory['SwapFree'] ?? 0),
    },
    interfaces: interfaces(read('net/dev'), defaultInterface(read('net/route'))),
  };
}

/** user, nice, system, (idle, iowait,) irq, softirq, steal; guests are in user. Source: proc(5). */
function busyTicks(stat: string): number {
  const ticks = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  return [0, 1, 2, 5, 6, 7].reduce((sum, at) => sum + (ticks[at] ?? 0), 0);
}

function numbers(text: string, line: RegExp, unit: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...text.matchAll(line)].map(([, name, value]) => [name ?? '', Number(value) * unit] as const),
  );
}

/** Source: proc(5), /proc/net/dev: receive bytes, packets, errs …; transmit likewise from the ninth column on. */
function interfaces(text: string, preferred: string | undefined): readonly InterfaceUsage[] {
  const found = [...text.matchAll(/^\s*(\S+):\s*(.+)$/gm)]
    .filter(([, name]) => name !== undefined && !NOT_OURS.test(name))
    .map(([, name = '', columns = '']) => {
      const values = columns.trim().split(/\s+/).map(Number);
      const [rxBytes = 0, , rxErrors = 0] = values;
      const [txBytes = 0, , txErrors = 0] = values.slice(8);
      return { name, rxBytes, rxErrors, txBytes, txErrors };
    });
  return found.toSorted((a, b) => Number(b.name === preferred) - Number(a.name === preferred));
}

/** The interface of the first default route: destination and mask are 0. */
function defaultInterface(routes: string): string | undefined {
  return routes
    .split('\n')
    .map((line) => line.split('\t'))
    .find((fields) => fields[1] === '00000000' && fields[7] === '00000000')?.[0];
}
