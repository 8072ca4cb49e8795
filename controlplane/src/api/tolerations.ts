import type { Taint } from './node.ts';
import type { Toleration } from './pod.ts';

/** Whether a toleration covers a taint. Source: k8s.io/api core/v1 Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration;
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return (operator === 'Equal' || operator === '') && value === (taint.value ?? '');
}

/** The first taint of these effects that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find(
    (taint) =>
      effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

/**
 * How long a pod may stay on a node with these NoExecute taints, in seconds: 0 if one is not tolerated, Infinity if
 * all are tolerated for ever. For each taint the first toleration that covers it counts, and of those the shortest.
 * Source: kubernetes pkg/apis/core/v1/helper GetMatchingTolerations, pkg/controller/tainteviction getMinTolerationTime.
 */
export function toleratedSeconds(taints: readonly Taint[], tolerations: readonly Toleration[]): number {
  let seconds = Infinity;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const first = tolerations.find((toleration) => tolerates(toleration, taint));
    if (first === undefined) return 0;
    if (first.tolerationSeconds !== undefined)
      seconds = Math.min(seconds, Math.max(0, first.tolerationSeconds));
  }
  return seconds;
}
