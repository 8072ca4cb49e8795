import { LabelSelector, type LabelSelectorRequirement } from '@hawser/kube';
import type { Node } from '../api/node.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../api/pod.ts';

/**
 * Whether a pod's node selector and required node affinity admit a node.
 * Source: kubernetes pkg/scheduler NodeAffinity, GetRequiredNodeAffinity.
 */
export function matchesNodeSelection(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const exact = Object.entries(spec.nodeSelector ?? {});
  if (!exact.every(([key, value]) => labels[key] === value)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** Whether a node fits a term: all of its requirements hold; a term without any fits nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return (
    matchExpressions.every((requirement) => holds(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => holdsForField(requirement, fields))
  );
}

function holds(requirement: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const { key, operator, values = [] } = requirement;
  if (operator === 'Gt' || operator === 'Lt') {
    const [bound = ''] = values;
    const actual = labels[key];
    if (actual === undefined || !/^[+-]?\d+$/.test(actual) || !/^[+-]?\d+$/.test(bound)) return false;
    return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound);
  }
  const expression: LabelSelectorRequirement = { key, operator, values };
  return LabelSelector.fromObject({ matchExpressions: [expression] }).matches(labels);
}

/** Names of nodes are no label values, so they are compared as they are. */
function holdsForField(
  requirement: NodeSelectorRequirement,
  fields: Readonly<Record<string, string>>,
): boolean {
  const { key, operator, values = [] } = requirement;
  const actual = fields[key];
  if (actual === undefined) return false;
  if (operator === 'In') return values.includes(actual);
  return operator === 'NotIn' && !values.includes(actual);
}
