import type { Pod, PodContainer } from './pod.ts';
import { quantityOf } from './quantity.ts';

const COUNTED = ['cpu', 'memory'] as const;

/**
 * The quality of service that a pod gets: Guaranteed where every container has limits for CPU and memory that its
 * requests equal; BestEffort where none has any; Burstable otherwise. Source: Kubernetes, "Pod Quality of Service
 * Classes".
 */
export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  if (containers.every((container) => COUNTED.every((name) => isUnset(container, name)))) return 'BestEffort';
  return containers.every((container) => COUNTED.every((name) => isFixed(container, name)))
    ? 'Guaranteed'
    : 'Burstable';
}

type Counted = (typeof COUNTED)[number];

function amount(container: PodContainer, list: 'requests' | 'limits', name: Counted): number {
  return quantityOf(container.resources?.[list]?.[name] ?? 0) ?? 0;
}

function isUnset(container: PodContainer, name: Counted): boolean {
  return amount(container, 'requests', name) === 0 && amount(container, 'limits', name) === 0;
}

function isFixed(container: PodContainer, name: Counted): boolean {
  const limit = amount(container, 'limits', name);
  // A request that is not said is the limit: the API server fills it in.
  const request =
    container.resources?.requests?.[name] === undefined ? limit : amount(container, 'requests', name);
  return limit > 0 && request === limit;
}
