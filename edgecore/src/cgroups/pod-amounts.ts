import { isSidecar, type Pod, type PodContainer } from '../pods/pod.ts';
import { quantityOf } from '../pods/quantity.ts';
import { cpuMillis } from './cpu-values.ts';

/** CPU in thousandths of a core, memory in bytes. */
export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

const NOTHING: Amounts = { cpuMillis: 0, memoryBytes: 0 };

/** Bytes of a quantity, rounded up; 0 where it is none. Source: resource.Quantity.Value. */
export function bytesOf(quantity: string | number | undefined): number {
  return Math.ceil(quantityOf(quantity ?? 0) ?? 0);
}

/** The limits of one container; 0: none. */
export function limitsOf(container: PodContainer): Amounts {
  const { limits = {} } = container.resources ?? {};
  return { cpuMillis: cpuMillis(limits['cpu']), memoryBytes: bytesOf(limits['memory']) };
}

/** The requests of one container. One that is not said is the limit, as the API server would have filled in. */
export function requestsOf(container: PodContainer): Amounts {
  const { requests = {}, limits = {} } = container.resources ?? {};
  return {
    cpuMillis: cpuMillis(requests['cpu'] ?? limits['cpu']),
    memoryBytes: bytesOf(requests['memory'] ?? limits['memory']),
  };
}

/**
 * What a pod takes in all. Containers and sidecars run together; an init container runs beside the sidecars that come
 * before it, and the largest of these moments counts. With the overhead of its runtime class.
 * Source: k8s.io/component-helpers resource.PodRequests; KEP-753, "Resources calculation".
 */
export function podRequests(pod: Pod): Amounts {
  return plus(largest(pod, requestsOf), overhead(pod));
}

/** As {@link podRequests}, of limits; the overhead raises only a limit that there is. */
export function podLimits(pod: Pod): Amounts {
  const limits = largest(pod, limitsOf);
  const more = overhead(pod);
  return {
    cpuMillis: limits.cpuMillis === 0 ? 0 : limits.cpuMillis + more.cpuMillis,
    memoryBytes: limits.memoryBytes === 0 ? 0 : limits.memoryBytes + more.memoryBytes,
  };
}

function largest(pod: Pod, amountsOf: (container: PodContainer) => Amounts): Amounts {
  let sidecars = NOTHING;
  let initial = NOTHING;
  for (const container of pod.spec.initContainers ?? []) {
    const amounts = amountsOf(container);
    if (isSidecar(container)) sidecars = plus(sidecars, amounts);
    initial = max(initial, isSidecar(container) ? sidecars : plus(sidecars, amounts));
  }
  const running = pod.spec.containers.map(amountsOf).reduce(plus, sidecars);
  return max(running, initial);
}

function overhead(pod: Pod): Amounts {
  const { overhead: amounts = {} } = pod.spec;
  return { cpuMillis: cpuMillis(amounts['cpu']), memoryBytes: bytesOf(amounts['memory']) };
}

function plus(a: Amounts, b: Amounts): Amounts {
  return { cpuMillis: a.cpuMillis + b.cpuMillis, memoryBytes: a.memoryBytes + b.memoryBytes };
}

function max(a: Amounts, b: Amounts): Amounts {
  return {
    cpuMillis: Math.max(a.cpuMillis, b.cpuMillis),
    memoryBytes: Math.max(a.memoryBytes, b.memoryBytes),
  };
}
