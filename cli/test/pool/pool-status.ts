import type { PoolStatus } from '@hawser/edgecore/admin';

/** The moment at which these statuses are looked at. */
export const NOW_MS = Date.parse('2026-11-22T03:00:00Z');

/** The pool of three tills as its second one sees it, all well, with some of it replaced. */
export function samplePool(replaced: Partial<PoolStatus> = {}): PoolStatus {
  return {
    pool: 'shop-1',
    node: 'till-2',
    state: 'LIVE',
    since: '2026-11-22T02:00:00Z',
    leader: 'till-1',
    provisional: false,
    epoch: 7,
    ageSeconds: 3,
    members: [
      {
        name: 'till-1',
        endpoint: '192.0.2.1:10263',
        eligible: true,
        state: 'LIVE',
        heardSeconds: 2,
        version: '812',
      },
      {
        name: 'till-2',
        endpoint: '192.0.2.2:10263',
        eligible: true,
        state: 'LIVE',
        heardSeconds: 0,
        version: '812',
      },
      { name: 'till-3', endpoint: '', eligible: false },
    ],
    resources: [
      {
        ...{ name: 'endpointslices.discovery.k8s.io', version: '812', objects: 120, bytes: 240_000 },
        ...{ source: 'leader', synced: true },
      },
      {
        ...{ name: 'services', version: '790', objects: 40, bytes: 32_000, source: 'leader', synced: true },
      },
    ],
    problems: [],
    ...replaced,
  };
}
