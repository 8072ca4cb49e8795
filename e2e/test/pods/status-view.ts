import type { SeenPod } from '../../src/pods-site/pods-site.ts';

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const CONTAINER_ID = /^containerd:\/\/([0-9a-f]{64})$/;
const TIMES = new Set([
  ...['startTime', 'startedAt', 'finishedAt', 'lastTransitionTime'],
  ...['firstTimestamp', 'lastTimestamp', 'creationTimestamp'],
]);

/** What of a run differs from the next one, beside what the pod itself tells. */
export interface Run {
  /** Addresses of the node, those of the pods on it. */
  readonly hostIps: readonly string[];
  /** Prefix of the node's pods. */
  readonly podPrefix: string;
}

/**
 * What the API has about a pod, with all that differs from run to run replaced: times by `<time>`, ids of containers
 * by `<1>`, `<2>` … in the order in which they are met, the pod's UID by `<uid>`, addresses by `<pod ip>`, `<host ip>`
 * and `<host ips>`, its generation by `<generation>`. What has not the form that it should have stays, and is seen.
 */
export function comparable(value: unknown, { metadata, status }: SeenPod, run: Run): unknown {
  const { uid = '', generation } = metadata;
  const ids = new Map<string, string>();
  const text = (was: string, field: string): string => {
    if (TIMES.has(field)) return TIME.test(was) ? '<time>' : was;
    const id = CONTAINER_ID.exec(was)?.[1];
    if (id !== undefined) {
      const name = ids.get(id) ?? `<${ids.size + 1}>`;
      ids.set(id, name);
      return name;
    }
    if (was === status?.podIP && was.startsWith(run.podPrefix)) return '<pod ip>';
    if (was === run.hostIps[0]) return '<host ip>';
    return was.replaceAll(uid, '<uid>');
  };
  const walk = (inner: unknown, field: string): unknown => {
    if (typeof inner === 'string') return text(inner, field);
    if (field === 'observedGeneration' && inner === generation) return '<generation>';
    if (field === 'hostIPs' && isSame(inner, run.hostIps)) return '<host ips>';
    if (Array.isArray(inner)) return inner.map((each) => walk(each, ''));
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, each]) => [name, walk(each, name)]));
  };
  return walk(value, '');
}

function isSame(ips: unknown, expected: readonly string[]): boolean {
  return JSON.stringify(ips) === JSON.stringify(expected.map((ip) => ({ ip })));
}
