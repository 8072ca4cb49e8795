import type { OptionTable } from './option.ts';

/** Options of the interface for mappers that were written for KubeEdge. */
export const DMI_OPTIONS = {
  socket: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^/', is: 'an absolute path' },
    meaning:
      'Unix socket (mode 0600) for mappers that speak KubeEdge’s DMI; theirs is `/etc/kubeedge/dmi.sock`. Empty: none.',
  },
  callsPerSecond: {
    kind: 'number',
    default: 200,
    min: 10,
    max: 2000,
    unit: 'calls/s',
    meaning:
      'Calls in a second that are taken of one DMI mapper; others are refused (RESOURCE_EXHAUSTED), and counted.',
  },
} as const satisfies OptionTable[string];
