import type { EdgeStatus } from '@hawser/edgecore/admin';

/** The moment at which these statuses are looked at. */
export const NOW_MS = Date.parse('2026-11-22T03:00:00Z');

/** The status of a node at which all is well, with some of it replaced. */
export function edgeStatus(replaced: Partial<EdgeStatus> = {}): EdgeStatus {
  return {
    node: {
      name: 'shop-17',
      addresses: ['192.0.2.17'],
      ready: true,
      message: '',
      runtime: 'null://',
      pods: { sync: 3, terminating: 1, terminated: 0 },
    },
    cluster: { accepted: { clusterUid: 'c1', incarnation: 'i1' } },
    session: {
      state: 'up',
      since: '2026-11-21T23:40:00Z',
      current: {
        id: 's',
        epoch: 4,
        transport: 'ws',
        hub: '192.0.2.7:10000',
        hubSoftware: 'hub-0 cloudcore/0.1.0',
        roundTripMs: 12.34,
        heartbeatMs: 10_000,
      },
      attempts: 0,
      epoch: 4,
    },
    scopes: [{ scope: 'node/shop-17', objects: 12, bytes: 34_567, synced: true, held: 0, counters: {} }],
    outbox: { waiting: 0, counters: {} },
    tokens: { kept: 2, missing: 0, expired: 0 },
    store: { dir: '/var/lib/hawser/edge', healthy: true, sizeBytes: 70_000, messages: [] },
    certificate: {
      subject: 'system:node:shop-17',
      expires: '2027-08-01T00:00:00Z',
      renewal: '2027-05-01T00:00:00Z',
    },
    problems: [],
    process: {
      pid: 71,
      startedAt: '2026-11-20T03:00:00Z',
      uptimeMs: 172_800_000,
      rssBytes: 62 * 2 ** 20,
      heapBytes: 10 * 2 ** 20,
      software: 'edgecore/0.1.0',
      node: 'v20.20.2',
      kubelet: 'v1.36.0',
    },
    ...replaced,
  };
}
