import { createHash } from 'node:crypto';
import { apiVersionOf, formatTime, ResourceClient } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { DEVICE_MODELS, DEVICES } from '../cache/bound-devices.ts';
import { record, records, text, texts } from '../cache/json-reader.ts';
import { isObjectName } from '../cache/object-key.ts';
import { ANNOTATIONS } from '../cluster/names.ts';
import { hasCode, retryConflicts } from './conflict-retry.ts';
import type { Device } from './device-guard.ts';
import type { EventWriter } from './event-writer.ts';
import { DONE } from './outcome.ts';
import { decideSettings, type SettingDecision } from './setting-decision.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

type Body = UpstreamBodies['device-setting'];

const COMPONENT = 'hawser-cloudcore';
/** Of a value in an Event: the text of an Event has 1,024 characters. */
const SHOWN_CHARS = 64;
const NO_NAMES: ReadonlySet<string> = new Set();

/** Writes desired values that were set at the edge into Device objects. */
export class SettingWriter {
  readonly #context: WriterContext;
  readonly #events: EventWriter;
  readonly #devices: ResourceClient;
  readonly #models: ResourceClient;

  constructor(context: WriterContext, events: EventWriter) {
    this.#context = context;
    this.#events = events;
    this.#devices = new ResourceClient(context.client, DEVICES);
    this.#models = new ResourceClient(context.client, DEVICE_MODELS);
  }

  /**
   * All settings of a message in one write, on top of the version on which they were decided (`decideSettings`); again
   * after a Conflict. What was superseded is told by an Event at the Device, before the message is done with.
   * @throws Refusal 403, 404; StatusError, ClientError
   */
  async write(origin: Origin, body: Body): Promise<UpstreamOutcome> {
    const { metrics } = this.#context;
    const decision = await retryConflicts(
      origin,
      () => this.#attempt(origin, body),
      () => metrics.conflicts.inc({ kind: 'device-setting' }),
    );
    const { written, same, superseded, unknown } = decision;
    for (const [outcome, settings] of Object.entries({ written, same, superseded, unknown })) {
      metrics.settings.inc({ outcome }, settings.length);
    }
    await this.#tell(origin, body, 'SettingSuperseded', supersededText(decision));
    await this.#tell(origin, body, 'SettingUnknown', unknownText(decision));
    return DONE;
  }

  async #attempt(origin: Origin, body: Body): Promise<SettingDecision> {
    const device = await this.#context.deviceGuard.live(origin, body);
    const { resourceVersion, annotations } = device.metadata;
    const properties = records(record(device['spec'])['properties']);
    const listed = new Set(properties.map(({ name }) => text(name)));
    const isListed = body.settings.every(({ property }) => listed.has(property));
    const inModel = isListed ? NO_NAMES : await this.#modelProperties(origin, device);
    const before = texts(annotations)[ANNOTATIONS.edgeSettings];
    const decision = decideSettings({ properties, decided: before }, body.settings, (property) =>
      inModel.has(property),
    );
    if (decision.properties === undefined && decision.decided === undefined) {
      this.#count('none');
      return decision;
    }
    const patch = {
      metadata: {
        resourceVersion,
        ...(decision.decided !== undefined && {
          annotations: { [ANNOTATIONS.edgeSettings]: decision.decided },
        }),
      },
      ...(decision.properties && { spec: { properties: decision.properties } }),
    };
    await this.#devices.patch(body.namespace, body.name, 'merge', patch, callOptions(origin));
    this.#count('patch');
    return decision;
  }

  /** Names of the properties of the model; none where there is no model. */
  async #modelProperties(origin: Origin, device: Device): Promise<ReadonlySet<string>> {
    const { name } = record(record(device['spec'])['deviceModelRef']);
    if (!isObjectName(name)) return NO_NAMES;
    try {
      const model = await this.#models.get(device.metadata.namespace ?? '', name, callOptions(origin));
      return new Set(records(record(model['spec'])['properties']).map((property) => text(property['name'])));
    } catch (error) {
      if (hasCode(error, 404)) return NO_NAMES;
      throw error;
    }
  }

  /** The same message again makes no second Event. */
  async #tell(origin: Origin, body: Body, reason: string, message: string): Promise<void> {
    if (message === '') return;
    const { namespace, name, uid, settings } = body;
    const now = formatTime(this.#context.clock.wallMs());
    const id = createHash('sha256')
      .update(JSON.stringify([uid, reason, settings]))
      .digest('hex');
    await this.#events.write(origin, {
      id,
      regarding: { apiVersion: apiVersionOf(DEVICES), kind: DEVICES.kind, namespace, name, uid },
      type: 'Warning',
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      component: COMPONENT,
    });
  }

  #count(verb: string): void {
    this.#context.metrics.writes.inc({ kind: 'device-setting', verb });
  }
}

function supersededText({ superseded }: SettingDecision): string {
  const lines = superseded.map(({ setting: { property, value }, present }) => {
    const cloud = present === undefined ? 'no value' : shown(present.value);
    return `${property}: the edge set ${shown(value)}, the cloud wants ${cloud} by now, which counts`;
  });
  return lines.join('; ');
}

function unknownText({ unknown }: SettingDecision): string {
  const lines = unknown.map(
    ({ property, value }) =>
      `${property}: the edge set ${shown(value)}, but neither the device nor its model has this property`,
  );
  return lines.join('; ');
}

function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}…` : value);
}
