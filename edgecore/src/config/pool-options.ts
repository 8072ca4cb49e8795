import type { OptionTable } from './option.ts';

/** Options of a member of a pool. */
export const POOL_OPTIONS = {
  listen: {
    kind: 'text',
    default: '0.0.0.0:10263',
    pattern: {
      source: '^$|^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/]+):\\d{1,5}$',
      is: '`address:port`, `[address]:port`, or nothing',
    },
    meaning:
      'Where peers of the pool reach this node; port 0: any. Opened with the membership in a pool. Only nodes of the pool are let in. Empty: no port; this node then never leads.',
  },
  advertise: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^\\S+$', is: 'an address or a name' },
    meaning: 'Address by which peers reach this node. Empty: the one that the node reports as its own.',
  },
} as const satisfies OptionTable[string];
