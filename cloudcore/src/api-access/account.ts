import { dns1123LabelProblems, dns1123SubdomainProblems } from '@hawser/kube';
import { decodeCaller, type StreamCaller } from '@hawser/proto';
import type { ClusterView } from '../cache/cluster-view.ts';
import { forbiddenCaller } from './refusal.ts';

/** A service account for which a node may speak, by a pod of its own that runs as it. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  /** Of the account, as the edge has it; '': it does not know. */
  readonly uid: string;
  /** What a token is bound to. */
  readonly pod: { readonly name: string; readonly uid: string };
}

const USERNAME = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The account for which the node makes a request. A node speaks for the accounts of pods that are bound to it, as a
 * kubelet gets tokens for them, and for nobody else: not for itself either, since nobody here has a key that would
 * prove it.
 * Source: kubernetes, node authorizer (serviceaccounts/token) and NodeRestriction.
 * @param said the values of the header `x-hawser-caller`
 * @throws AccessRefusal 403
 */
export function accountOf(
  view: Pick<ClusterView, 'pod' | 'podAs'>,
  node: string,
  said: readonly string[] | undefined,
): Account {
  const caller = said?.length === 1 ? decodeCaller(said[0] ?? '') : undefined;
  if (caller === undefined) throw refused(node, 'it does not say for whom it asks');
  const { username, uid } = caller;
  const [, namespace = '', name = ''] = USERNAME.exec(username) ?? [];
  if (dns1123LabelProblems(namespace).length > 0 || dns1123SubdomainProblems(name).length > 0) {
    throw refused(node, `${JSON.stringify(username.slice(0, 128))} is no service account`);
  }
  const pod = podOf(view, node, { namespace, name }, caller);
  return { namespace, name, uid, pod };
}

function podOf(
  view: Pick<ClusterView, 'pod' | 'podAs'>,
  node: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { podNamespace, podName, podUid }: StreamCaller,
): Account['pod'] {
  if (podName === undefined || podUid === undefined) {
    const pod = view.podAs(node, namespace, name);
    if (pod !== undefined) return pod;
    throw refused(node, `no pod of it runs as ${namespace}/${name}`);
  }
  const facts = podNamespace === namespace ? view.pod(namespace, podName) : undefined;
  if (facts?.uid === podUid && facts.nodeName === node && facts.serviceAccountName === name) {
    return { name: podName, uid: podUid };
  }
  const pod = `${podNamespace ?? ''}/${podName}`.slice(0, 317);
  throw refused(
    node,
    `pod ${JSON.stringify(pod)} is not bound to it, or does not run as ${namespace}/${name}`,
  );
}

function refused(node: string, why: string): Error {
  const allowed = 'a node speaks to the API server for the service accounts of pods that are bound to it';
  return forbiddenCaller('caller', `node ${node}: ${why}; ${allowed}, and for nobody else`);
}
