import { Quantity } from '@hawser/kube';
import type { Node } from '../api/node.ts';
import type { Pod, ResourceList } from '../api/pod.ts';

/** Amounts by resource name: `cpu` in thousandths, everything else in whole units. */
export type Amounts = Readonly<Record<string, number>>;

const requestsOf = new WeakMap<Pod, Amounts>();
const allocatableOf = new WeakMap<Node, Amounts>();

/**
 * What a pod takes from its node: its containers together, or its largest init container if that is more, and what
 * runs beside them; and its overhead. Source: KEP-753, PodRequests of kube-scheduler.
 */
export function podRequests(pod: Pod): Amounts {
  const known = requestsOf.get(pod);
  if (known !== undefined) return known;
  let running: Amounts = {};
  for (const { resources } of pod.spec.containers) running = add(running, amounts(resources?.requests));
  let beside: Amounts = {};
  let starting: Amounts = {};
  for (const { resources, restartPolicy } of pod.spec.initContainers ?? []) {
    const own = amounts(resources?.requests);
    if (restartPolicy === 'Always') beside = add(beside, own);
    starting = largest(starting, restartPolicy === 'Always' ? beside : add(beside, own));
  }
  const total = add(largest(add(running, beside), starting), amounts(pod.spec.overhead));
  requestsOf.set(pod, total);
  return total;
}

/** What a node has for pods; of an old node that does not say, its capacity. */
export function nodeAllocatable(node: Node): Amounts {
  const known = allocatableOf.get(node);
  if (known !== undefined) return known;
  const found = amounts(node.status?.allocatable ?? node.status?.capacity);
  allocatableOf.set(node, found);
  return found;
}

function amounts(list: ResourceList | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(list ?? {}).map(([name, text]) => {
      const quantity = Quantity.parse(text);
      return [name, Number(name === 'cpu' ? quantity.milliValue() : quantity.value())];
    }),
  );
}

function add(a: Amounts, b: Amounts): Amounts {
  return merge(a, b, (left, right) => left + right);
}

function largest(a: Amounts, b: Amounts): Amounts {
  return merge(a, b, Math.max);
}

function merge(a: Amounts, b: Amounts, join: (left: number, right: number) => number): Amounts {
  const merged: Record<string, number> = { ...a };
  for (const [name, amount] of Object.entries(b)) merged[name] = join(merged[name] ?? 0, amount);
  return merged;
}
