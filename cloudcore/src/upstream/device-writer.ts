import { ResourceClient, type JsonObject } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { DEVICES } from '../cache/bound-devices.ts';
import { record } from '../cache/json-reader.ts';
import { isOlder } from '../cache/record-table.ts';
import { hasCode, retryConflicts } from './conflict-retry.ts';
import type { Device } from './device-guard.ts';
import { DeviceLedger, hashOfSaid, type WrittenObject } from './device-ledger.ts';
import { differingStatus, statusOf } from './device-status.ts';
import { DeviceStatusWriter } from './device-status-writer.ts';
import { DONE } from './outcome.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

type Body = UpstreamBodies['device'];

/**
 * Writes what nodes say about their devices: `Device.status`, and a DeviceStatus of the same name. Of the status the
 * node has `twins`, `state`, `lastOnlineTime` and the condition `Served`; everything else stays.
 */
export class DeviceWriter {
  readonly #context: WriterContext;
  readonly #devices: ResourceClient;
  readonly #statuses: DeviceStatusWriter;
  readonly #ledger = new DeviceLedger();

  constructor(context: WriterContext) {
    this.#context = context;
    this.#devices = new ResourceClient(context.client, DEVICES);
    this.#statuses = new DeviceStatusWriter(context);
  }

  /**
   * 1. The device has to be the one meant, and at the node;
   * 2. what was written in this session is known: the same again is not written, and something new is written on top of
   *    that version, without reading it first;
   * 3. if others have written since, the device is read, and what differs is written; again after a Conflict.
   * Both objects are written at the same time.
   * @throws Refusal 403, 404; StatusError, ClientError
   */
  async write(origin: Origin, body: Body): Promise<UpstreamOutcome> {
    let live = await this.#context.deviceGuard.authorize(origin, body);
    const device = retryConflicts(
      origin,
      () => {
        const read = live;
        live = undefined; // at the next attempt it is old
        return this.#attempt(origin, body, read);
      },
      () => this.#conflict(origin, body),
    );
    // Nothing is under way any more when this one is over.
    const results = await Promise.allSettled([device, this.#statuses.write(origin, body)]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return DONE;
  }

  #conflict({ session }: Origin, body: Body): void {
    this.#ledger.forget(session, keyOf(body));
    this.#context.metrics.conflicts.inc({ kind: 'device' });
  }

  async #attempt(origin: Origin, body: Body, read: Device | undefined): Promise<void> {
    const known = read === undefined ? this.#known(origin, body) : undefined;
    const version =
      (known && (await this.#onTop(origin, body, known))) ?? (await this.#compare(origin, body, read));
    const served = body.served === undefined ? (known?.served ?? '') : hashOfSaid(body.served);
    const said = hashOfSaid(statusOf(body));
    this.#ledger.set(origin.session, keyOf(body), { uid: body.uid, said, served, version });
  }

  /**
   * Writes on top of what was written before, without reading it.
   * @returns the version that it has; undefined where it has to be read: others' conditions have to stay
   */
  async #onTop(origin: Origin, body: Body, known: WrittenObject): Promise<string | undefined> {
    if (body.served !== undefined && hashOfSaid(body.served) !== known.served) return undefined;
    if (hashOfSaid(statusOf(body)) === known.said) {
      this.#count('none');
      return known.version;
    }
    try {
      return await this.#patch(origin, body, known.version, statusOf(body));
    } catch (error) {
      // It is gone, or its definition is another.
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  async #compare(origin: Origin, body: Body, read: Device | undefined): Promise<string> {
    const { deviceGuard, clock } = this.#context;
    const device = read ?? (await deviceGuard.live(origin, body));
    const { resourceVersion = '' } = device.metadata;
    const status = differingStatus(record(device['status']), body, clock.wallMs());
    if (Object.keys(status).length > 0) return this.#patch(origin, body, resourceVersion, status);
    this.#count('none');
    return resourceVersion;
  }

  /** What was written, if nobody has written the device since, as far as is known. */
  #known({ session }: Origin, body: Body): WrittenObject | undefined {
    const known = this.#ledger.get(session, keyOf(body), body.uid);
    if (known === undefined) return undefined;
    const seen = this.#context.view.device(body.namespace, body.name)?.version ?? known.version;
    return seen === known.version || isOlder(seen, known.version) ? known : undefined;
  }

  /** @returns the version that it has then */
  async #patch(
    origin: Origin,
    { namespace, name }: Body,
    resourceVersion: string,
    status: JsonObject,
  ): Promise<string> {
    const { deviceResources } = this.#context;
    const version = await deviceResources.patchStatus(
      this.#devices,
      { namespace, name },
      resourceVersion,
      status,
      callOptions(origin),
    );
    this.#count('patch');
    return version;
  }

  #count(verb: string): void {
    this.#context.metrics.writes.inc({ kind: 'device', verb });
  }
}

function keyOf({ namespace, name }: Body): string {
  return `${namespace}/${name}`;
}
