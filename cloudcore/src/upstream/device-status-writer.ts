import {
  apiVersionOf,
  labelValueProblems,
  ResourceClient,
  type JsonObject,
  type KubeObject,
  type OwnerReference,
} from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { DEVICES } from '../cache/bound-devices.ts';
import { record } from '../cache/json-reader.ts';
import { LABELS } from '../cluster/names.ts';
import { hasCode, retryConflicts } from './conflict-retry.ts';
import { DeviceLedger, hashOfSaid } from './device-ledger.ts';
import { DEVICE_STATUSES } from './device-resources.ts';
import { differingFields, statusOf } from './device-status.ts';
import { isNamespaceEnding, Refusal } from './outcome.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

type Body = UpstreamBodies['device'];

const KIND = 'device-status';

/**
 * Writes the DeviceStatus of the same name as a Device: its owner, so that it goes with it. Source: KubeEdge since 1.23.
 * Where the cluster does not know the resource, nothing is written.
 */
export class DeviceStatusWriter {
  readonly #context: WriterContext;
  readonly #statuses: ResourceClient;
  readonly #ledger = new DeviceLedger();

  constructor(context: WriterContext) {
    this.#context = context;
    this.#statuses = new ResourceClient(context.client, DEVICE_STATUSES);
  }

  /** Of a device that was found to be the node's. @throws Refusal 404; StatusError, ClientError */
  write(origin: Origin, body: Body): Promise<void> {
    return retryConflicts(
      origin,
      () => this.#attempt(origin, body),
      () => {
        this.#ledger.forget(origin.session, keyOf(body));
        this.#context.metrics.conflicts.inc({ kind: KIND });
      },
    );
  }

  async #attempt(origin: Origin, body: Body): Promise<void> {
    if ((await this.#context.deviceResources.statusForm('devicestatuses')) === 'absent') return;
    const known = this.#ledger.get(origin.session, keyOf(body), body.uid);
    const said = hashOfSaid(statusOf(body));
    if (known?.said === said) {
      this.#count('none');
      return;
    }
    const version =
      known === undefined
        ? await this.#compare(origin, body)
        : await this.#onTop(origin, body, known.version);
    this.#ledger.set(origin.session, keyOf(body), { uid: body.uid, said, served: '', version });
  }

  /** Somebody may have removed it, or given it another definition: then all is looked at again. */
  async #onTop(origin: Origin, body: Body, version: string): Promise<string> {
    try {
      return await this.#patchStatus(origin, body, version, statusOf(body));
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
      return this.#compare(origin, body);
    }
  }

  async #compare(origin: Origin, body: Body): Promise<string> {
    const found = await this.#get(origin, body);
    const object =
      found === undefined ? await this.#create(origin, body) : await this.#own(origin, body, found);
    const { resourceVersion = '' } = object.metadata;
    const status = differingFields(record(object['status']), statusOf(body));
    if (Object.keys(status).length > 0) return this.#patchStatus(origin, body, resourceVersion, status);
    if (object === found) this.#count('none');
    return resourceVersion;
  }

  async #get(origin: Origin, { namespace, name }: Body): Promise<KubeObject | undefined> {
    try {
      return await this.#statuses.get(namespace, name, callOptions(origin));
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  /** AlreadyExists is a Conflict to the caller: the next attempt finds it. */
  async #create(origin: Origin, body: Body): Promise<KubeObject> {
    const { namespace, name } = body;
    const metadata = { namespace, name, ownerReferences: [ownerOf(body)], labels: labelsOf(origin) };
    const object = { apiVersion: apiVersionOf(DEVICE_STATUSES), kind: DEVICE_STATUSES.kind, metadata };
    try {
      const created = await this.#statuses.create(
        { ...object, spec: {}, status: statusOf(body) },
        callOptions(origin),
      );
      this.#count('create');
      return created;
    } catch (error) {
      if (!isNamespaceEnding(error)) throw error;
      throw new Refusal(404, 'gone', `namespace ${namespace} is being terminated`);
    }
  }

  /** The object with the owner and the labels that it is to have: it may be of a former device of this name. */
  async #own(origin: Origin, body: Body, found: KubeObject): Promise<KubeObject> {
    const { ownerReferences: owners = [], labels: present = {}, resourceVersion } = found.metadata;
    const isOwned = owners.some(({ uid }) => uid === body.uid);
    const labels = labelsOf(origin);
    const isLabelled = Object.entries(labels).every(([key, value]) => present[key] === value);
    if (isOwned && isLabelled) return found;
    const others = owners.filter(({ kind }) => kind !== DEVICES.kind);
    const metadata = {
      ...{ resourceVersion, labels },
      ...(!isOwned && { ownerReferences: [...others, ownerOf(body)] }),
    };
    const { namespace, name } = body;
    const patched = await this.#statuses.patch(namespace, name, 'merge', { metadata }, callOptions(origin));
    this.#count('patch');
    return patched;
  }

  async #patchStatus(
    origin: Origin,
    { namespace, name }: Body,
    resourceVersion: string,
    status: JsonObject,
  ): Promise<string> {
    const version = await this.#context.deviceResources.patchStatus(
      this.#statuses,
      { namespace, name },
      resourceVersion,
      status,
      callOptions(origin),
    );
    this.#count('patch');
    return version;
  }

  #count(verb: string): void {
    this.#context.metrics.writes.inc({ kind: KIND, verb });
  }
}

function keyOf({ namespace, name }: Body): string {
  return `${namespace}/${name}`;
}

function ownerOf({ name, uid }: Body): OwnerReference {
  return { apiVersion: apiVersionOf(DEVICES), kind: DEVICES.kind, name, uid };
}

function labelsOf({ node }: Origin): Readonly<Record<string, string>> {
  const isLabel = labelValueProblems(node).length === 0;
  return { 'app.kubernetes.io/managed-by': 'hawser', ...(isLabel && { [LABELS.node]: node }) };
}
