import { setImmediate } from 'node:timers/promises';
import { bindDevice, checkModel, DeviceError } from '@hawser/devices';
import {
  Controller,
  ResourceClient,
  StatusError,
  workqueueMetrics,
  type ApiClient,
  type ApiResource,
  type KubeObject,
} from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import type { ScopeView } from '@hawser/sync';
import type { Registry } from 'prom-client';
import { DEVICE_MODELS, DEVICES, type DeviceListener } from '../cache/bound-devices.ts';
import { HAWSER_NAMESPACE } from '../cluster/names.ts';
import { DeviceResources, type StatusForm } from '../upstream/device-resources.ts';
import { hasCode } from '../upstream/conflict-retry.ts';
import { TokenBucket } from '../upstream/token-bucket.ts';
import { configMapOf, ConditionWriter, noticeOf } from './condition-writer.ts';
import { deviceMetrics, type DeviceMetrics } from './device-metrics.ts';
import { contentKey, DeviceTable, unpackDevice, type DeviceEntry } from './device-table.ts';
import { MapperSchemas } from './mapper-schemas.ts';
import { ModelTable } from './model-table.ts';
import {
  conditionText,
  invalid,
  observedGeneration,
  SOUND,
  validOf,
  verdictText,
  type Verdict,
} from './verdict.ts';

/** Where devices are seen, and what nodes have of them. */
export interface DeviceSource {
  /** The listener hears of every device that is there from the start of the source on. @returns ends it */
  onDevice(listener: DeviceListener): () => void;
  /** Resolves once all were seen. */
  waitForSync(signal?: AbortSignal): Promise<void>;
  nodeView(node: string): Pick<ScopeView, 'get'>;
}

/** Settings of {@link DeviceValidator}. */
export interface DeviceValidatorOptions {
  readonly client: ApiClient;
  readonly source: DeviceSource;
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
  /** Conditions that are written, a second and at once. Default 50 and 200. */
  readonly writes?: { readonly perSecond: number; readonly burst: number };
}

/** How long a device may be there before its model, milliseconds: `kubectl apply` makes one after the other. */
const MODEL_LATE_MS = 2_000;
/** Writes of one device in a row that need not wait: its model and its schema may be mended in between. */
const QUARREL_FREE = 5;
/** How long a condition that is another again and again is left alone, milliseconds; doubled each time. */
const QUARREL_BASE_MS = 1_000;
const QUARREL_CAP_MS = 300_000;
const WORKERS = 4;
/** How long devices are looked at before others have their turn, milliseconds. */
const TURN_MS = 5;

/**
 * Says of every Device and DeviceModel whether it is valid: the condition `Valid`, and an Event when that changes.
 *
 * Steps for each device, when it, its model, or the schemas of its protocol change:
 * 1. it is bound to its model, and its configuration looked at by the schemas, as the cache has both;
 * 2. its condition says so already: nothing;
 * 3. the live device is read, looked at in the same way, and patched on top of the version read.
 *
 * Every replica does it: who comes second finds it done. Replicas of two releases may differ in what they find: then each
 * waits longer and longer before it contradicts. To be started before the source is, so that it hears of every device.
 */
export class DeviceValidator {
  readonly #options: DeviceValidatorOptions;
  readonly #log: Logger;
  readonly #devices: DeviceTable;
  readonly #models: ModelTable;
  readonly #schemas: MapperSchemas;
  readonly #resources: DeviceResources;
  readonly #writer: ConditionWriter;
  readonly #queue: Controller;
  readonly #bucket: TokenBucket;
  readonly #metrics: DeviceMetrics;
  #stopListening: (() => void) | undefined;
  #breathedMs = 0;

  constructor(options: DeviceValidatorOptions) {
    this.#options = options;
    const { client, clock, registry, writes = { perSecond: 50, burst: 200 } } = options;
    const log = options.log.child({ component: 'devices' });
    this.#log = log;
    this.#bucket = new TokenBucket(writes, clock);
    this.#devices = new DeviceTable((key) => this.#queue.enqueue(`device/${key}`));
    const onError = (err: Error): void => log.debug({ err }, 'watching models or schemas failed');
    this.#models = new ModelTable({
      ...{ client, clock, onError },
      onChange: (key, content) => this.#onModel(key, content),
    });
    this.#schemas = new MapperSchemas({
      ...{ client, clock, onError },
      onChange: (protocol) => this.#queue.enqueue(`schema/${protocol}`),
    });
    this.#resources = new DeviceResources(client, clock);
    this.#writer = new ConditionWriter({ client, clock, log });
    this.#queue = new Controller({
      name: 'devices',
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
      onError: (err, key) => this.#onError(err, key),
      metrics: workqueueMetrics(registry),
      clock,
    });
    this.#metrics = deviceMetrics(registry, () => this.#devices.counts());
  }

  /** Begins to listen and to work. Idempotent. */
  start(): void {
    const { source } = this.#options;
    this.#stopListening ??= source.onDevice({
      seen: (device) => this.#devices.seen(device),
      gone: (key) => this.#devices.gone(key),
      listed: (keys) => this.#devices.listed(keys),
    });
    this.#models.start();
    this.#schemas.start();
    this.#queue.start();
  }

  /** Resolves when nothing is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = () => {};
    this.#resources.close(new Error('the hub stops'));
    await Promise.all([this.#queue.stop(), this.#models.stop(), this.#schemas.stop()]);
  }

  #onModel(key: string, content: boolean): void {
    this.#queue.enqueue(`model/${key}`);
    if (!content) return;
    for (const device of this.#devices.ofModel(key)) this.#queue.enqueue(`device/${device}`);
  }

  async #reconcile(what: string, signal: AbortSignal): Promise<void> {
    // Nothing is missing before all was seen.
    await this.#models.waitForSync(signal);
    await this.#schemas.waitForSync(signal);
    const slash = what.indexOf('/');
    const key = what.slice(slash + 1);
    if (what.startsWith('schema/')) await this.#reconcileSchema(key, signal);
    else if (what.startsWith('model/')) await this.#reconcileModel(key, signal);
    else await this.#reconcileDevice(key, signal);
  }

  /** Where a device says no protocol, its model does: it is looked at as well. */
  async #reconcileSchema(protocol: string, signal: AbortSignal): Promise<void> {
    const source = this.#schemas.sourceOf(protocol);
    try {
      await this.#schemas.checkerOf(protocol);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.#log.warn({ protocol, configMap: source?.name, err: error }, 'a mapper schema cannot be used');
      if (source !== undefined) {
        const about = configMapOf(HAWSER_NAMESPACE, source);
        const message = `no device of ${protocol} is checked by it: ${error.message}`;
        await this.#writer.tell({ about, type: 'Warning', reason: 'MapperSchemaInvalid', message }, signal);
      }
    }
    for (const device of this.#devices.values()) {
      if (device.protocol === protocol || device.protocol === '') this.#queue.enqueue(`device/${device.key}`);
    }
  }

  async #reconcileModel(key: string, signal: AbortSignal): Promise<void> {
    const entry = this.#models.get(key);
    if (entry === undefined) return;
    const judge = (model: unknown): Verdict => {
      const problems = checkModel(model);
      return problems.length > 0 ? invalid(problems) : SOUND;
    };
    if (verdictText(judge(entry.object), entry.generation) === entry.said) return;
    const form = await this.#resources.statusForm(DEVICE_MODELS.resource);
    // Where its status cannot be written by itself, a model is left alone: its devices say what is wrong with it.
    if (form !== 'subresource') return;
    if (this.#mustWait(`model/${key}`)) return;
    const live = await this.#read(DEVICE_MODELS, key, signal);
    if (live === undefined) return;
    const { object } = await this.#write(DEVICE_MODELS, form, live, judge(live), signal);
    this.#models.written(object);
  }

  async #reconcileDevice(key: string, signal: AbortSignal): Promise<void> {
    await this.#options.source.waitForSync(signal);
    await this.#breathe();
    const entry = this.#devices.get(key);
    if (entry === undefined || this.#awaitsModel(entry)) return;
    const form = await this.#resources.statusForm(DEVICES.resource);
    const content = this.#contentOf(entry);
    if (content !== undefined) {
      const said = verdictText(await this.#judge(content), observedGeneration(form, entry.generation));
      if (said === entry.said || said === entry.unkept) return;
    }
    if (this.#quarrels(entry) || this.#mustWait(`device/${key}`)) return;
    const live = await this.#read(DEVICES, key, signal);
    if (live?.metadata.uid !== entry.uid) return; // it will be seen, or be gone
    const verdict = await this.#judge(live);
    if (verdictText(verdict, observedGeneration(form, live.metadata.generation)) === entry.unkept) return;
    const { object, kept } = await this.#write(DEVICES, form, live, verdict, signal);
    this.#devices.written(object);
    entry.unkept = kept ? '' : verdictText(verdict, observedGeneration(form, live.metadata.generation));
    entry.writes += 1;
    entry.writtenMs = this.#options.clock.monotonicMs();
  }

  /** Ten thousand devices may be looked at in a row, 0.1 ms each: sessions have their turn in between. */
  async #breathe(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#breathedMs < TURN_MS) return;
    await setImmediate();
    this.#breathedMs = performance.now();
  }

  /** A model that is not there yet may come in a moment: nobody is to be told of what is mended by then. */
  #awaitsModel(entry: DeviceEntry): boolean {
    if (entry.model === '' || this.#models.get(entry.model) !== undefined) {
      entry.missingMs = undefined;
      return false;
    }
    const nowMs = this.#options.clock.monotonicMs();
    entry.missingMs ??= nowMs;
    const leftMs = entry.missingMs + MODEL_LATE_MS - nowMs;
    if (leftMs > 0) this.#queue.enqueueAfter(`device/${entry.key}`, leftMs);
    return leftMs > 0;
  }

  /** Whether the condition of the same device was written often just now, and is another again. */
  #quarrels(entry: DeviceEntry): boolean {
    const sinceMs = this.#options.clock.monotonicMs() - entry.writtenMs;
    if (sinceMs > 2 * QUARREL_CAP_MS) entry.writes = 0;
    if (entry.writes < QUARREL_FREE) return false;
    const leftMs = Math.min(QUARREL_CAP_MS, QUARREL_BASE_MS * 2 ** (entry.writes - QUARREL_FREE)) - sinceMs;
    if (leftMs > 0) this.#queue.enqueueAfter(`device/${entry.key}`, leftMs);
    return leftMs > 0;
  }

  /** Whether others are to write first. */
  #mustWait(what: string): boolean {
    const { waitMs } = this.#bucket;
    if (waitMs > 0) {
      this.#queue.enqueueAfter(what, waitMs + Math.random() * 1000);
      return true;
    }
    this.#bucket.take();
    return false;
  }

  #contentOf({ key, node, content, generation }: DeviceEntry): unknown {
    if (content !== undefined) return unpackDevice(content);
    const held = this.#options.source.nodeView(node).get(contentKey(key));
    if (held === undefined) return undefined;
    const device = JSON.parse(Buffer.from(held.bytes).toString('utf8')) as KubeObject;
    return (device.metadata.generation ?? 0) === generation ? device : undefined;
  }

  async #judge(device: unknown): Promise<Verdict> {
    const { metadata, spec } = device as { metadata: { namespace?: string }; spec?: unknown };
    const { deviceModelRef } = (spec ?? {}) as { deviceModelRef?: { name?: unknown } };
    const model = this.#models.get(`${metadata.namespace ?? ''}/${String(deviceModelRef?.name)}`);
    const binding = bindDevice(device, model?.object);
    if (binding.device === undefined) return invalid(binding.problems);
    const { protocol } = binding.device;
    try {
      const checker = await this.#schemas.checkerOf(protocol);
      if (checker === undefined) {
        const message = `no schema of ${protocol} is there: only its mapper looks at its configuration`;
        return { status: 'Unknown', reason: 'NoSchema', message };
      }
      const { problems } = checker.check(binding.device);
      return problems.length > 0 ? invalid(problems) : SOUND;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      const message = `the schema of ${protocol} cannot be used: ${error.message}`;
      return { status: 'Unknown', reason: 'BadSchema', message };
    }
  }

  async #read(resource: ApiResource, key: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    const [namespace = '', name = ''] = key.split('/');
    try {
      const object = await new ResourceClient(this.#options.client, resource).get(namespace, name, {
        signal,
      });
      return object.metadata.deletionTimestamp === undefined ? object : undefined;
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  async #write(
    resource: ApiResource,
    form: StatusForm,
    live: KubeObject,
    verdict: Verdict,
    signal: AbortSignal,
  ): Promise<{ readonly object: KubeObject; readonly kept: boolean }> {
    const said = verdictText(verdict, observedGeneration(form, live.metadata.generation));
    if (conditionText(validOf(live)) === said) return { object: live, kept: true };
    const written = await this.#writer.write(resource, form, live, verdict, signal);
    this.#metrics.written.inc({ kind: resource.kind, status: verdict.status });
    const notice = noticeOf(live, verdict);
    if (notice !== undefined) await this.#writer.tell(notice, signal);
    return written;
  }

  #onError(err: Error, key: string): void {
    const expected = err instanceof StatusError && (err.status.code === 409 || err.status.code === 404);
    this.#log[expected ? 'debug' : 'warn']({ what: key, err }, 'the condition of a device was not written');
  }
}
