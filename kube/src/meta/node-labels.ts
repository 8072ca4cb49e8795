const RESTRICTION_DOMAIN = 'node-restriction.kubernetes.io';
/** Labels of kubernetes.io that a kubelet may set. Source: k8s.io/kubelet pkg/apis well_known_labels.go. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const KUBELET_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

/**
 * Whether a node may give itself a label with this key: what decides where pods go is for operators.
 * Source: kubernetes plugin/pkg/admission/noderestriction, KEP-279.
 */
export function nodeMayLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash === -1 ? '' : key.slice(0, slash);
  if (isInDomain(domain, RESTRICTION_DOMAIN)) return false;
  const ofKubernetes = isInDomain(domain, 'kubernetes.io') || isInDomain(domain, 'k8s.io');
  if (!ofKubernetes) return true;
  return KUBELET_LABELS.has(key) || KUBELET_DOMAINS.some((allowed) => isInDomain(domain, allowed));
}

/** Whether a label's domain is another one, or lies below it. */
export function isInDomain(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
