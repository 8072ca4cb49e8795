import { isInDomain, nodeMayLabel } from '@hawser/kube';
import { ANNOTATIONS, LABELS } from '../cluster/names.ts';

const OWN_DOMAIN = LABELS.edge.slice(0, LABELS.edge.indexOf('/'));
/** Whose labels say which pool a node is in: an operator's, not the node's. */
const POOL_DOMAIN = LABELS.nodePool.slice(0, LABELS.nodePool.indexOf('/'));
/** Length of the value of a label. Source: Kubernetes, "Labels and Selectors". */
const MAX_LABEL = 63;
/** What the hub itself puts on every edge node; an edge that says the same says nothing new. */
const HUB_LABELS: Readonly<Record<string, string>> = { [LABELS.edge]: '', [LABELS.edgeRole]: '' };

/**
 * Which of these labels a node may not give itself: roles and what decides where pods go or what is given to the node
 * (its pool) is for operators. Source: kubernetes plugin/pkg/admission/noderestriction, KEP-279; and all of
 * `hawser.dev` and of `apps.openyurt.io`.
 */
export function forbiddenLabels(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels)
    .filter(([key, value]) => HUB_LABELS[key] !== value && !mayLabel(key))
    .map(([key]) => key)
    .sort();
}

/** Which of these annotations a node may not give itself: policies of Hawser are for operators. */
export function forbiddenAnnotations(annotations: Readonly<Record<string, string>>): string[] {
  const policies: ReadonlySet<string> = new Set(Object.values(ANNOTATIONS));
  return Object.keys(annotations)
    .filter((key) => policies.has(key))
    .sort();
}

/**
 * The labels that a Node is to have: the hub's own, and those that the edge reports. The pool that the node has joined
 * with is its first one: where `present` has another, or an empty one, an operator has moved it.
 * @param present the labels of the Node that is there
 */
export function wantedLabels(
  reported: Readonly<Record<string, string>>,
  pool: string | undefined,
  present?: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const isKnown = [LABELS.nodePool, LABELS.pool].some((label) => present?.[label] !== undefined);
  const isWanted = pool !== undefined && pool.length <= MAX_LABEL && !isKnown;
  return { ...reported, ...HUB_LABELS, ...(isWanted && { [LABELS.nodePool]: pool }) };
}

/** The pool that the labels of a Node name; undefined: none. */
export function poolLabel(labels: Readonly<Record<string, unknown>>): string | undefined {
  const pool = labels[LABELS.nodePool] ?? labels[LABELS.pool];
  return typeof pool === 'string' && pool !== '' ? pool : undefined;
}

function mayLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash === -1 ? '' : key.slice(0, slash);
  return nodeMayLabel(key) && ![OWN_DOMAIN, POOL_DOMAIN].some((kept) => isInDomain(domain, kept));
}
