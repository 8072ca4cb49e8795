import { Backoff, type Clock, type Logger, type Random } from '@hawser/seams';
import { Alarm } from '@hawser/sync';
import type { Decoded, Encodable, Fields } from '../cri/wire.ts';
import type { DescribedDevice } from './device-describer.ts';
import type { DmiCounters } from './dmi-counters.ts';
import { MAPPER_METHODS, type DmiMethod } from './dmi-services.ts';
import type { MapperAnswer, MapperLink } from './mapper-link.ts';

/** What a {@link MapperOrders} needs. */
export interface MapperOrdersOptions {
  readonly link: Pick<MapperLink, 'call'>;
  /** How a device is to be at the mapper; undefined: it is not to have it. */
  readonly describe: (id: string) => Promise<DescribedDevice | undefined>;
  /** The mapper has taken a device (`undefined`), or says why it does not. */
  readonly onAnswer: (device: DescribedDevice, refusal: string | undefined) => void;
  /** The mapper has answered something. */
  readonly onHeard: () => void;
  readonly counters: DmiCounters;
  /** For one call to the mapper, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

interface Held {
  readonly namespace: string;
  readonly name: string;
  readonly modelId: string;
  /** Of what it has; undefined: that is not known. */
  readonly digest: string | undefined;
}

interface HeldModel {
  readonly namespace: string;
  readonly name: string;
  readonly digest: string | undefined;
}

type Outcome = 'done' | 'refused' | 'unanswered';

/** After a mapper has refused a device it is asked again so often, milliseconds. */
const REFUSED_RETRY = { baseMs: 2_000, capMs: 60_000 };
/** While a mapper does not answer, milliseconds. */
const UNANSWERED_RETRY = { baseMs: 500, capMs: 10_000 };

/**
 * Has a mapper know the devices that it is to serve, and their models: one call at a time, each device as it is when its turn
 * comes. What the mapper refuses is tried again by itself, the others go on; while it does not answer nothing is asked.
 */
export class MapperOrders {
  readonly #options: MapperOrdersOptions;
  readonly #held = new Map<string, Held>();
  readonly #models = new Map<string, HeldModel>();
  readonly #dirty = new Set<string>();
  readonly #retries = new Map<string, { readonly backoff: Backoff; dueMs: number }>();
  readonly #pause: Backoff;
  readonly #alarm: Alarm;
  #pausedUntilMs = -Infinity;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(options: MapperOrdersOptions) {
    this.#options = options;
    this.#pause = new Backoff({ ...UNANSWERED_RETRY, ...(options.random && { random: options.random }) });
    this.#alarm = new Alarm(options.clock, () => this.#work());
  }

  /** Devices that the mapper has, as far as is known. */
  get held(): ReadonlySet<string> {
    return new Set(this.#held.keys());
  }

  /** Devices that are to be looked at. */
  get waiting(): number {
    return this.#dirty.size;
  }

  /** The mapper was given these with the answer to its registration. */
  given(devices: readonly DescribedDevice[]): void {
    for (const device of devices) {
      this.#held.set(device.id, heldOf(device, device.digest));
      this.#models.set(device.model.id, device.model);
    }
  }

  /** A device is another one, or not to be the mapper's any more. */
  mark(id: string): void {
    if (this.#stopped) return;
    this.#dirty.add(id);
    const retry = this.#retries.get(id);
    if (retry !== undefined) retry.dueMs = -Infinity;
    this.#work();
  }

  /** What the mapper has is not known any more: it is told everything again. */
  forget(ids: Iterable<string>): void {
    for (const [id, model] of this.#models) this.#models.set(id, { ...model, digest: undefined });
    for (const [id, held] of this.#held) this.#held.set(id, { ...held, digest: undefined });
    for (const id of ids) {
      const [namespace = '', name = ''] = id.split('/');
      if (!this.#held.has(id)) this.#held.set(id, { namespace, name, modelId: '', digest: undefined });
    }
    for (const id of this.#held.keys()) this.#dirty.add(id);
    this.resume();
  }

  /** The mapper does not answer: nothing is asked until {@link resume}. */
  pause(): void {
    this.#pausedUntilMs = Infinity;
  }

  /** The mapper answers again. */
  resume(): void {
    this.#pause.reset();
    this.#pausedUntilMs = -Infinity;
    this.#work();
  }

  /** Resolves when nothing is under way. The link is closed before. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.cancel();
    this.#dirty.clear();
    await this.#working;
  }

  #work(): void {
    if (this.#stopped || this.#working !== undefined || this.#next() === undefined) return;
    this.#working = this.#workAll().finally(() => {
      this.#working = undefined;
      this.#work();
    });
  }

  /** The device whose turn it is; sets the alarm where there is one later. */
  #next(): string | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#stopped || this.#dirty.size === 0) return undefined;
    if (this.#pausedUntilMs > nowMs) {
      this.#alarm.setAt(this.#pausedUntilMs);
      return undefined;
    }
    for (const id of this.#dirty) {
      const dueMs = this.#retries.get(id)?.dueMs ?? -Infinity;
      if (dueMs <= nowMs) return id;
      this.#alarm.setAt(dueMs);
    }
    return undefined;
  }

  async #workAll(): Promise<void> {
    for (let id = this.#next(); id !== undefined; id = this.#next()) {
      this.#dirty.delete(id);
      const outcome = await this.#bring(id);
      if (this.#stopped) return;
      if (outcome === 'done') this.#retries.delete(id);
      else this.#dirty.add(id); // behind the others
      const nowMs = this.#options.clock.monotonicMs();
      if (outcome === 'unanswered')
        this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + this.#pause.nextMs());
      if (outcome === 'refused') {
        const { random } = this.#options;
        const backoff =
          this.#retries.get(id)?.backoff ?? new Backoff({ ...REFUSED_RETRY, ...(random && { random }) });
        // Full jitter may be nothing at all; a mapper is not asked again at once.
        this.#retries.set(id, { backoff, dueMs: nowMs + REFUSED_RETRY.baseMs / 2 + backoff.nextMs() });
      }
    }
  }

  /** Has the mapper know a device as it is now, or not any more. Never rejects. */
  async #bring(id: string): Promise<Outcome> {
    let device: DescribedDevice | undefined;
    try {
      device = await this.#options.describe(id);
    } catch (error) {
      this.#options.log.warn(
        { err: error, device: id },
        'a device cannot be read for its mapper; tried again',
      );
      return 'refused';
    }
    const held = this.#held.get(id);
    if (device === undefined) return held === undefined ? 'done' : this.#take(id, held);
    const { outcome, message, late } = await this.#give(device, held);
    if (outcome === 'unanswered') {
      if (late) this.#held.set(id, heldOf(device, undefined)); // it may have done it, and only then hung
      return outcome;
    }
    this.#held.set(id, heldOf(device, outcome === 'done' ? device.digest : undefined));
    // A mapper that has lost its models refuses its devices: it is given both again.
    if (outcome === 'refused') this.#models.delete(device.model.id);
    if (held !== undefined && held.modelId !== device.model.id) await this.#dropModel(held.modelId);
    this.#options.onAnswer(device, outcome === 'done' ? undefined : message);
    return outcome;
  }

  async #give(
    { message, digest, model }: DescribedDevice,
    held: Held | undefined,
  ): Promise<{ readonly outcome: Outcome; readonly message: string; readonly late: boolean }> {
    const steps: (() => Promise<MapperAnswer<unknown>>)[] = [];
    const present = this.#models.get(model.id);
    if (present?.digest !== model.digest) {
      const create = (): Promise<MapperAnswer<unknown>> =>
        this.#ask(MAPPER_METHODS.createDeviceModel, { model: model.message });
      const update = (): Promise<MapperAnswer<unknown>> =>
        this.#ask(MAPPER_METHODS.updateDeviceModel, { model: model.message });
      steps.push(present?.digest === undefined ? create : update);
    }
    const register = (): Promise<MapperAnswer<unknown>> =>
      this.#ask(MAPPER_METHODS.registerDevice, { device: message });
    const update = (): Promise<MapperAnswer<unknown>> =>
      this.#ask(MAPPER_METHODS.updateDevice, { device: message });
    if (held === undefined) steps.push(register);
    // One that it has already is not changed by its registration.
    else if (held.digest === undefined) steps.push(register, update);
    else if (held.digest !== digest) steps.push(update);
    for (const [index, step] of steps.entries()) {
      const answer = await step();
      if (!answer.ok) {
        const { reached, late, message: why } = answer;
        return { outcome: reached ? 'refused' : 'unanswered', message: why, late };
      }
      if (index === 0 && present?.digest !== model.digest) this.#models.set(model.id, model);
    }
    return { outcome: 'done', message: '', late: false };
  }

  /** A device is not the mapper's any more; one that it does not know it need not forget. */
  async #take(id: string, { namespace, name, modelId }: Held): Promise<Outcome> {
    const about = { deviceNamespace: namespace, deviceName: name };
    const answer = await this.#ask(MAPPER_METHODS.removeDevice, about);
    if (!answer.ok && !answer.reached) return 'unanswered';
    if (!answer.ok)
      this.#options.log.info({ device: id, message: answer.message }, 'a mapper does not forget a device');
    this.#held.delete(id);
    await this.#dropModel(modelId);
    return 'done';
  }

  /** A model without devices is of no use to the mapper. */
  async #dropModel(id: string): Promise<void> {
    const model = this.#models.get(id);
    if (model === undefined || [...this.#held.values()].some(({ modelId }) => modelId === id)) return;
    this.#models.delete(id);
    await this.#ask(MAPPER_METHODS.removeDeviceModel, {
      modelNamespace: model.namespace,
      modelName: model.name,
    });
  }

  async #ask<Q extends Fields, A extends Fields>(
    method: DmiMethod<Q, A>,
    value: Encodable<Q>,
  ): Promise<MapperAnswer<Decoded<A>>> {
    const { link, timeoutMs, counters, onHeard, log } = this.#options;
    const answer = await link.call(method, value, timeoutMs);
    if (answer.ok || answer.reached) onHeard();
    counters.orders[answer.ok ? 'done' : answer.reached ? 'refused' : 'unanswered'] += 1;
    if (!answer.ok)
      log.debug({ path: method.path, message: answer.message }, 'a mapper did not do what it was told');
    return answer;
  }
}

function heldOf({ namespace, name, model }: DescribedDevice, digest: string | undefined): Held {
  return { namespace, name, modelId: model.id, digest };
}
