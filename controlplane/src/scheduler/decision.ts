import { randomBelow, type Random } from '@hawser/seams';
import type { Pod } from '../api/pod.ts';
import { refusals, type NodeState } from './filters.ts';
import { scores } from './score.ts';

/** Where a pod goes, or why nowhere. */
export type Decision =
  | { readonly nodeName: string }
  | { readonly nodeName: undefined; /** For people. */ readonly message: string };

/** Chooses a node for a pod: of those that can take it the best, and one of the best by chance. */
export function decide(pod: Pod, states: readonly NodeState[], random: Random): Decision {
  if (states.length === 0) return { nodeName: undefined, message: 'no nodes available to schedule pods' };
  const counts = new Map<string, number>();
  const fitting: NodeState[] = [];
  for (const state of states) {
    const reasons = refusals(pod, state);
    if (reasons.length === 0) fitting.push(state);
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  if (fitting.length === 0) return { nodeName: undefined, message: fitMessage(states.length, counts) };
  const points = scores(pod, fitting);
  const best = Math.max(...points);
  const equals = fitting.filter((_, index) => points[index] === best);
  const chosen = equals[randomBelow(random, equals.length)];
  return { nodeName: chosen?.node.metadata.name ?? '' };
}

/** Source: kubernetes pkg/scheduler/framework FitError. */
function fitMessage(total: number, counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${total} nodes are available: ${reasons.join(', ')}.`;
}
