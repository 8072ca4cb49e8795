import {
  jsonEqual,
  LabelSelector,
  ResourceClient,
  splitCacheKey,
  type Controller,
  type Informer,
  type KubeObject,
} from '@hawser/kube';
import type { Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import {
  endpointSlices,
  endpointSubsets,
  MANAGER,
  MANAGER_LABEL,
  SERVICE_LABEL,
  type Service,
} from './endpoints-plan.ts';

const NAME = 'endpoints-controller';
const WORKERS = 4;
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/**
 * Keeps the EndpointSlices and the Endpoints of services with a selector: which pods serve them, where, and whether
 * they are ready. Services without a selector are for others to fill.
 * Source: kubernetes pkg/controller/endpointslice, endpoint.
 */
export class EndpointsController implements ControlLoop {
  readonly name: string = NAME;
  readonly #services: Informer;
  readonly #pods: Informer;
  readonly #nodes: Informer;
  readonly #slices: Informer;
  readonly #endpoints: Informer;
  readonly #sliceClient: ResourceClient;
  readonly #endpointsClient: ResourceClient;
  readonly #queue: Controller;

  constructor(context: ControllerContext) {
    this.#services = context.informers.informer(API.services);
    this.#pods = context.informers.informer(API.pods);
    this.#nodes = context.informers.informer(API.nodes);
    this.#slices = context.informers.informer(API.endpointslices);
    this.#endpoints = context.informers.informer(API.endpoints);
    this.#sliceClient = new ResourceClient(context.client, API.endpointslices);
    this.#endpointsClient = new ResourceClient(context.client, API.endpoints);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#services.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#pods.addHandler((old, current) => {
      for (const pod of [old?.value, current?.value]) if (pod !== undefined) this.#onPod(pod);
    });
    // What others change or delete comes back.
    this.#slices.addHandler((old, current) => {
      const { namespace = '', labels = {} } = (current ?? old)?.value.metadata ?? {};
      const service = labels[SERVICE_LABEL];
      if (service !== undefined && labels[MANAGER_LABEL] === MANAGER)
        this.#queue.enqueue(`${namespace}/${service}`);
    });
    this.#endpoints.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #onPod({ metadata }: KubeObject): void {
    const { namespace = '', labels } = metadata;
    for (const { key, value } of this.#services.lister.list({ namespace })) {
      if (selectorOf(value as Service)?.matches(labels) === true) this.#queue.enqueue(key);
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitCacheKey(key);
    const service = this.#services.lister.byKey(key)?.value as Service | undefined;
    if (service === undefined) {
      // Slices are collected by their owner; Endpoints have none.
      await this.#removeEndpoints(namespace, name, signal);
      return;
    }
    const selector = selectorOf(service);
    if (selector === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const pods = this.#pods.lister.list({ namespace, selector }).map(({ value }) => value as Pod);
    const zoneOf = (node: string): string | undefined => this.#nodes.lister.byKey(node)?.labels[ZONE_LABEL];
    await this.#writeSlices(service, endpointSlices(service, pods, zoneOf), signal);
    await this.#writeEndpoints(service, endpointSubsets(service, pods), signal);
  }

  async #writeSlices(service: Service, wanted: readonly KubeObject[], signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '' } = service.metadata;
    const selector = LabelSelector.parse(`${SERVICE_LABEL}=${name},${MANAGER_LABEL}=${MANAGER}`);
    const present = new Map(
      this.#slices.lister.list({ namespace, selector }).map((entry) => [entry.name, entry.value]),
    );
    for (const slice of wanted) {
      const old = present.get(slice.metadata.name ?? '');
      present.delete(slice.metadata.name ?? '');
      if (old === undefined) await this.#sliceClient.create(slice, { signal });
      else if (!sameSlice(old, slice)) {
        const { resourceVersion = '' } = old.metadata;
        await this.#sliceClient.update(
          { ...slice, metadata: { ...slice.metadata, resourceVersion } },
          { signal },
        );
      }
    }
    for (const sliceName of present.keys()) {
      await unlessGone(this.#sliceClient.delete(namespace, sliceName, { signal }));
    }
  }

  async #writeEndpoints(service: Service, subsets: readonly object[], signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', labels = {} } = service.metadata;
    const present = this.#endpoints.lister.get(namespace, name)?.value;
    if (present === undefined) {
      const metadata = { namespace, name, labels };
      await this.#endpointsClient.create(
        { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets },
        { signal },
      );
    } else if (!jsonEqual(present['subsets'] ?? [], subsets)) {
      await this.#endpointsClient.update({ ...present, subsets }, { signal });
    }
  }

  async #removeEndpoints(namespace: string, name: string, signal: AbortSignal): Promise<void> {
    const present = this.#endpoints.lister.get(namespace, name)?.value;
    if (present === undefined || !isOurs(present)) return;
    const { uid } = present.metadata;
    const preconditions = uid === undefined ? {} : { uid };
    await unlessGone(this.#endpointsClient.delete(namespace, name, { preconditions, signal }));
  }
}

/** Endpoints that users made by hand for no service stay: ours name pods, or nobody. */
function isOurs(endpoints: KubeObject): boolean {
  const subsets = (endpoints['subsets'] ?? []) as readonly Subset[]; // an Endpoints
  return subsets
    .flatMap(({ addresses = [], notReadyAddresses = [] }) => [...addresses, ...notReadyAddresses])
    .every(({ targetRef }) => targetRef?.kind === 'Pod');
}

interface Subset {
  readonly addresses?: readonly EndpointAddress[];
  readonly notReadyAddresses?: readonly EndpointAddress[];
}

interface EndpointAddress {
  readonly targetRef?: { readonly kind?: string };
}

function selectorOf({ spec }: Service): LabelSelector | undefined {
  if (spec.type === 'ExternalName' || Object.keys(spec.selector ?? {}).length === 0) return undefined;
  return LabelSelector.fromObject({ matchLabels: spec.selector ?? {} });
}

function sameSlice(old: KubeObject, slice: KubeObject): boolean {
  return (
    jsonEqual(old['endpoints'] ?? [], slice['endpoints']) &&
    jsonEqual(old['ports'] ?? [], slice['ports']) &&
    jsonEqual(old.metadata.labels, slice.metadata.labels)
  );
}
