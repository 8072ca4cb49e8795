import { ResourceClient, type Controller, type Informer, type KubeObject } from '@hawser/kube';
import { API } from '../api/resources.ts';
import { controlQueue, hasReason, type ControllerContext, type ControlLoop } from './context.ts';

const NAME = 'namespace-defaults-controller';
const CA_NAME = 'kube-root-ca.crt';
const CA_NOTE =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the ' +
  'internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/**
 * Gives each namespace what pods in it rely on: the service account `default`, and the ConfigMap `kube-root-ca.crt`
 * with the authority of the API server. Both come back when they are deleted or changed.
 * Source: kubernetes pkg/controller/serviceaccount (ServiceAccountsController), certificates/rootcacertpublisher.
 */
export class NamespaceDefaultsController implements ControlLoop {
  readonly name: string = NAME;
  readonly #ca: string;
  readonly #namespaces: Informer;
  readonly #accounts: Informer;
  readonly #configMaps: Informer;
  readonly #accountClient: ResourceClient;
  readonly #configMapClient: ResourceClient;
  readonly #queue: Controller;

  /** `ca`: PEM. */
  constructor(context: ControllerContext, ca: string) {
    this.#ca = ca;
    this.#namespaces = context.informers.informer(API.namespaces);
    this.#accounts = context.informers.informer(API.serviceaccounts, {
      fieldSelector: 'metadata.name=default',
    });
    this.#configMaps = context.informers.informer(API.configmaps, {
      fieldSelector: `metadata.name=${CA_NAME}`,
    });
    this.#accountClient = new ResourceClient(context.client, API.serviceaccounts);
    this.#configMapClient = new ResourceClient(context.client, API.configmaps);
    this.#queue = controlQueue(context, {
      name: NAME,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#namespaces.addHandler((_old, current) => {
      if (current !== undefined) this.#queue.enqueue(current.key);
    });
    for (const informer of [this.#accounts, this.#configMaps]) {
      informer.addHandler((old, current) => {
        if (old !== undefined) this.#queue.enqueue((current ?? old).namespace);
      });
    }
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(namespace: string, signal: AbortSignal): Promise<void> {
    const present = this.#namespaces.lister.byKey(namespace)?.value;
    if (present === undefined || present.metadata.deletionTimestamp !== undefined) return;
    if (this.#accounts.lister.get(namespace, 'default') === undefined) {
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } };
      await createUnlessThere(this.#accountClient, account, signal);
    }
    await this.#publishCa(namespace, signal);
  }

  async #publishCa(namespace: string, signal: AbortSignal): Promise<void> {
    const present = this.#configMaps.lister.get(namespace, CA_NAME)?.value;
    const data = { 'ca.crt': this.#ca };
    if (present === undefined) {
      const metadata = { namespace, name: CA_NAME, annotations: { 'kubernetes.io/description': CA_NOTE } };
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
      await createUnlessThere(this.#configMapClient, map, signal);
      return;
    }
    const found = present['data'] as Readonly<Record<string, string>> | undefined;
    const same = found?.['ca.crt'] === this.#ca && Object.keys(found).length === 1;
    if (!same) await this.#configMapClient.update({ ...present, data }, { signal });
  }
}

async function createUnlessThere(
  client: ResourceClient,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(object, { signal });
  } catch (error) {
    // A namespace that has just begun to end takes nothing any more.
    if (!hasReason(error, 'AlreadyExists', 'Forbidden', 'NotFound')) throw error;
  }
}
