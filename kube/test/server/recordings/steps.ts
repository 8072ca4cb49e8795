import type { Replayer } from './replayer.ts';

/** Calls that were made but not recorded: set-up, and what the controllers of a real cluster did meanwhile. */
export interface Steps {
  /** Before the first exchange. */
  readonly start?: (replayer: Replayer) => Promise<void>;
  /** Before the exchange of that name. */
  readonly before?: Readonly<Record<string, (replayer: Replayer) => Promise<void>>>;
  /** While the watch of that name is open. */
  readonly during?: Readonly<Record<string, (replayer: Replayer) => Promise<void>>>;
}

/** Makes a namespace with its default service account, as the controllers do. */
export async function makeNamespace(replayer: Replayer, name: string, finalized = true): Promise<void> {
  await replayer.call('POST', '/api/v1/namespaces', { metadata: { name } });
  if (finalized) await makeAccount(replayer, name);
}

/** Makes a namespace's default service account. */
export async function makeAccount(replayer: Replayer, namespace: string): Promise<void> {
  await replayer.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    metadata: { name: 'default' },
  });
}

/** Makes a ConfigMap. */
export async function makeConfigMap(
  replayer: Replayer,
  namespace: string,
  name: string,
  rest: {
    labels?: Record<string, string>;
    data?: Record<string, string>;
    finalizers?: string[];
    annotations?: Record<string, string>;
  } = {},
): Promise<void> {
  const { data, ...metadata } = rest;
  await replayer.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name, ...metadata },
    data,
  });
}

/** A container that nobody will run. */
export const CONTAINER = { name: 'main', image: 'registry.example/app:1' };

/** Makes a pod. */
export async function makePod(
  replayer: Replayer,
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Promise<void> {
  const pod = { metadata: { name, ...metadata }, spec: { containers: [CONTAINER], ...spec } };
  await replayer.call('POST', `/api/v1/namespaces/${namespace}/pods`, pod);
}

/** What the node lifecycle controller does to a new node: an annotation, and no taint once it is ready. */
export async function settleNode(replayer: Replayer, name: string, taints: null | undefined): Promise<void> {
  await replayer.patch(`/api/v1/nodes/${name}`, {
    metadata: { annotations: { 'node.alpha.kubernetes.io/ttl': '0' } },
    ...(taints === null ? { spec: { taints: null } } : {}),
  });
}
