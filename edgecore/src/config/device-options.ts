import type { OptionTable } from './option.ts';

/** Options of twins. */
export const DEVICE_OPTIONS = {
  reportsPerSecond: {
    kind: 'number',
    default: 20,
    min: 1,
    max: 1000,
    unit: 'reports/s',
    meaning:
      'Reports of devices that the node sends to the cloud in a second, devices in turn. What changes meanwhile is in the next report of its device.',
  },
  persistPeriodMs: {
    kind: 'number',
    default: 60_000,
    min: 10_000,
    max: 24 * 60 * 60_000,
    unit: 'ms',
    meaning:
      'How often, at most, what a device reports is written to the disk while the cloud does not take it. A power cut loses as much; mappers read it again.',
  },
  uploadsPerSecond: {
    kind: 'number',
    default: 10,
    min: 1,
    max: 100,
    unit: 'messages/s',
    meaning:
      'Messages in a second, of up to 64 KiB, that programs at the edge may publish for the cloud (`$hw/events/upload/#`); ten times as many at once. Others are dropped, and counted.',
  },
} as const satisfies OptionTable[string];
