import { isPlainObject } from '@hawser/kube';
import type { NodeFacts } from '../cache/cluster-view.ts';
import { ANNOTATIONS } from '../cluster/names.ts';

/** What happens to the default tolerations of pods on a node. */
export type TolerationsPolicy = 'unbounded' | 'keep';

/** What admission gives to pods that have none of their own. Source: kubernetes defaulttolerationseconds. */
const DEFAULT_SECONDS = 300;
const TAINTS = new Set<unknown>(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);

/** The policy that a Node's annotation names; the default where there is none, or none that is known. */
export function policyOf(
  node: Pick<NodeFacts, 'annotations'> | undefined,
  byDefault: TolerationsPolicy = 'unbounded',
): TolerationsPolicy {
  const policy = node?.annotations[ANNOTATIONS.tolerations];
  return policy === 'keep' || policy === 'unbounded' ? policy : byDefault;
}

/**
 * The tolerations that a pod is to have on a node that works alone: the default ones for nodes that are not ready or
 * unreachable lose their 300 s, in their place, since taint eviction takes the first that matches (tainteviction
 * GetMatchingTolerations). An author's own seconds stay; so do 300 that an author wrote for any other taint or in any
 * other form. Undefined: nothing is to be changed.
 * @param tolerations `spec.tolerations` of a pod
 */
export function unboundedTolerations(tolerations: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(tolerations) || !tolerations.some(isDefault)) return undefined;
  return tolerations.map((toleration: unknown) =>
    isDefault(toleration) ? unbounded(toleration) : toleration,
  );
}

function isDefault(toleration: unknown): toleration is Readonly<Record<string, unknown>> {
  if (!isPlainObject(toleration)) return false;
  const { key, operator, effect, value = '', tolerationSeconds } = toleration;
  return (
    TAINTS.has(key) &&
    operator === 'Exists' &&
    effect === 'NoExecute' &&
    value === '' &&
    tolerationSeconds === DEFAULT_SECONDS
  );
}

function unbounded(toleration: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(toleration).filter(([key]) => key !== 'tolerationSeconds'));
}
