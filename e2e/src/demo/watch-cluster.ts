import { DEVICES } from '@hawser/cloudcore';
import { InformerFactory, RESOURCES, type ApiClient, type Informer, type KubeObject } from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import type { SeenDevice } from '../devices-site/device-objects.ts';
import type { SeenPod } from '../pods-site/pods-site.ts';
import { NAMESPACE } from './demo.ts';
import type { DeviceLine, PodLine } from './state.ts';

/** What the cluster says of nodes, pods and devices: watches, so that it costs nothing while nothing changes. */
export class ClusterWatch {
  readonly #client: ApiClient;
  readonly #factory: InformerFactory;
  readonly #nodes: Informer;
  readonly #pods: Informer;
  readonly #devices: Informer;

  /** @param kubeconfig file */
  constructor(kubeconfig: string) {
    this.#client = kubeConfigClient(loadKubeConfig({ path: kubeconfig }), { userAgent: 'hawser-demo' });
    this.#factory = new InformerFactory(this.#client);
    this.#nodes = this.#factory.informer(RESOURCES.nodes);
    this.#pods = this.#factory.informer(RESOURCES.pods, { namespace: NAMESPACE });
    this.#devices = this.#factory.informer(DEVICES, { namespace: NAMESPACE });
  }

  start(): void {
    this.#factory.start();
  }

  /** The condition Ready of a node; undefined: there is no such node. */
  isReady(node: string): boolean | undefined {
    const object = this.#nodes.lister.get('', node)?.value;
    return object === undefined ? undefined : hasReady(object);
  }

  /** By name. */
  pods(): readonly PodLine[] {
    return sorted(this.#pods).map((pod) => podLine(pod as SeenPod));
  }

  /** A line for each property, by names. */
  devices(): readonly DeviceLine[] {
    return sorted(this.#devices).flatMap((device) => deviceLines(device as SeenDevice));
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#factory.stop();
    this.#client.close();
  }
}

function sorted(informer: Informer): readonly KubeObject[] {
  return informer.lister
    .list()
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ value }) => value);
}

function hasReady(object: KubeObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as SeenPod['status'] & object;
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function podLine(pod: SeenPod): PodLine {
  const { metadata, spec, status } = pod;
  const containers = status?.containerStatuses ?? [];
  const stateOf = containers.flatMap(({ state = {} }) =>
    Object.values(state).flatMap(({ reason }) => reason),
  );
  const told = stateOf.find((reason) => typeof reason === 'string' && reason !== '');
  const phase = status?.phase ?? 'Pending';
  return {
    name: metadata.name ?? '',
    node: spec.nodeName ?? '',
    status:
      metadata.deletionTimestamp !== undefined ? 'Terminating' : typeof told === 'string' ? told : phase,
    ready: hasReady(pod),
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ip: status?.podIP ?? '',
  };
}

function deviceLines({ metadata, spec, status }: SeenDevice & { spec: { nodeName?: string } }): DeviceLine[] {
  return (spec.properties ?? []).map(({ name, desired }) => {
    const reported = status?.twins?.find(({ propertyName }) => propertyName === name)?.reported?.value;
    return {
      device: metadata.name ?? '',
      node: spec.nodeName ?? '',
      state: status?.state ?? 'unknown',
      property: name,
      ...(desired !== undefined && { desired: desired.value }),
      ...(reported !== undefined && { reported }),
    };
  });
}
