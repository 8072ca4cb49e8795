import type { Machine, MachineFacts, MachineReading } from '../../src/node/machine.ts';

/** A small machine at an edge. */
export const FACTS: MachineFacts = {
  architecture: 'arm64',
  operatingSystem: 'linux',
  kernelVersion: '6.1.0',
  osImage: 'Debian GNU/Linux 12 (bookworm)',
  machineId: 'm',
  systemUuid: 's',
  bootId: 'b',
  cpus: 4,
};

/** How it is when all is well. */
export const READING: MachineReading = {
  memoryTotalBytes: 2 * 2 ** 30,
  memoryAvailableBytes: 2 ** 30,
  disk: { totalBytes: 10 * 2 ** 30, availableBytes: 5 * 2 ** 30, inodes: 1000, inodesFree: 900 },
  pids: { used: 300, max: 4096 },
  addresses: ['192.0.2.7', '2001:db8::7'],
};

/** A machine whose readings a test sets. */
export class SampleMachine implements Machine {
  reading: MachineReading | Error = READING;

  facts(): MachineFacts {
    return FACTS;
  }

  read(): MachineReading {
    if (this.reading instanceof Error) throw this.reading;
    return this.reading;
  }
}
