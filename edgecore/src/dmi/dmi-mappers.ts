import type { BoundDevice } from '@hawser/devices';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { Decoded, Encodable } from '../cri/wire.ts';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { JsonState } from '../state/json-state.ts';
import type { TwinManager } from '../twins/twin-manager.ts';
import { CallError } from './call-error.ts';
import type { DescribedDevice, DeviceDescriber } from './device-describer.ts';
import type { DmiCounters } from './dmi-counters.ts';
import {
  DmiDevice,
  DmiDeviceModel,
  type MapperRegisterRequest,
  type MapperRegisterResponse,
  type ReportDeviceStatesRequest,
  type ReportDeviceStatusRequest,
} from './dmi-messages.ts';
import { DmiMapper, DMI_TIMES, type DmiTimes } from './dmi-mapper.ts';
import { takeState, takeTwins } from './dmi-reports.ts';
import { keptRegistration, registrationOf, type Registration } from './registration.ts';

/** What a {@link DmiMappers} needs. */
export interface DmiMappersOptions {
  /** Started before. */
  readonly directory: DeviceDirectory;
  readonly twins: Pick<
    TwinManager,
    | 'expected'
    | 'forgetStates'
    | 'listen'
    | 'refuse'
    | 'report'
    | 'reportState'
    | 'setSilent'
    | 'settle'
    | 'view'
  >;
  readonly describer: Pick<DeviceDescriber, 'describe'>;
  /** Where registrations are: mappers register when they start, and know nothing of our restarts. */
  readonly state: JsonState;
  /** The mapper on the event bus that serves a protocol; undefined: there is none. */
  readonly busMapper: (protocol: string) => string | undefined;
  /** Of one mapper. */
  readonly callsPerSecond: number;
  readonly counters: DmiCounters;
  /** Default: {@link DMI_TIMES}. */
  readonly times?: DmiTimes;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

const PREFIX = 'dmi/';
const MAX_MAPPERS = 32;
/** Most that is said in the answer to a registration: gRPC clients take 4 MiB. The others are registered one by one. */
const MAX_ANSWER_BYTES = 3 * 1024 * 1024;
/** A mapper that answers so soon is there, milliseconds. Who registers waits for a second. */
const THERE_MS = 300;
const REFUSED_PATH = '/spec';

/**
 * The mappers that speak DMI, by protocol. What they are to know of their devices is compared with what they have whenever
 * either changes; what they say goes to the twins. One protocol is one mapper's: of one here and one on the bus, that on the
 * bus has it.
 */
export class DmiMappers {
  readonly #options: DmiMappersOptions;
  readonly #mappers = new Map<string, DmiMapper>();
  /** Protocols that a mapper on the bus serves as well. */
  readonly #conflicts = new Map<string, string>();
  /** Versions of settings that were seen last, by device. */
  readonly #versions = new Map<string, string>();
  /** Registering and forgetting, one after the other: both write the registration to the disk. */
  #turn: Promise<unknown> = Promise.resolve();
  #endings: (() => void)[] = [];
  #stopped = false;

  constructor(options: DmiMappersOptions) {
    this.#options = options;
  }

  /** Takes up the mappers that have registered before. Called once. */
  async start(): Promise<void> {
    const { directory, twins, state } = this.#options;
    for (const [key, value] of await state.readAll(PREFIX)) {
      const kept = keptRegistration(key.slice(PREFIX.length), value);
      if (kept === undefined) continue;
      const mapper = this.#add(kept);
      mapper.orders.forget(this.#idsOf(kept.protocol));
      mapper.start();
    }
    this.#endings = [
      directory.listen((id) => this.#changed(id)),
      twins.listen(({ namespace, name }) => this.#settingsChanged(`${namespace}/${name}`)),
    ];
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const ending of this.#endings.splice(0)) ending();
    await this.#turn;
    await Promise.all([...this.#mappers.values()].map((mapper) => mapper.stop()));
  }

  /** Registered mappers, those of them that are silent, and those whose protocol is another's. */
  amounts(): Readonly<Record<'registered' | 'silent' | 'conflicting', number>> {
    const mappers = [...this.#mappers.values()];
    const silent = mappers.filter((mapper) => mapper.silent).length;
    return { registered: mappers.length, silent, conflicting: this.#conflicts.size };
  }

  /** What is wrong, in words. */
  problems(): readonly string[] {
    return [...this.#conflicts].map(([protocol, bus]) => conflictText(protocol, bus));
  }

  // ── what mappers say ─────────────────────────────────────────────────────────────────────────────────────────

  /** @throws CallError */
  register(
    request: Decoded<typeof MapperRegisterRequest.fields>,
  ): Promise<Encodable<typeof MapperRegisterResponse.fields>> {
    const registration = registrationOf(request.mapper);
    return this.#inTurn(() => this.#register(registration, request.withData));
  }

  /** @throws CallError */
  reportStatus(request: Decoded<typeof ReportDeviceStatusRequest.fields>): void {
    const device = this.#speaksOf(request);
    takeTwins(this.#options.twins, device, request.reportedDevice?.twins ?? []);
  }

  /** @throws CallError */
  reportState(request: Decoded<typeof ReportDeviceStatesRequest.fields>): void {
    takeState(this.#options.twins, this.#speaksOf(request), request.state);
  }

  /** The device of a report, where its mapper may report. */
  #speaksOf({
    deviceName: name,
    deviceNamespace,
  }: {
    readonly deviceName: string;
    readonly deviceNamespace: string;
  }): BoundDevice {
    // Frameworks of before KubeEdge 1.18 know no namespaces.
    const namespace = deviceNamespace === '' ? 'default' : deviceNamespace;
    const device = this.#options.directory.get(namespace, name)?.device;
    if (device === undefined)
      throw new CallError('refused', 'NOT_FOUND', `there is no device ${namespace}/${name}`.slice(0, 600));
    const { protocol } = device;
    const mapper = this.#mappers.get(protocol);
    if (mapper === undefined) {
      const message = `no mapper has registered for ${protocol}, the protocol of ${namespace}/${name}`;
      throw new CallError('refused', 'FAILED_PRECONDITION', message);
    }
    if (!mapper.take()) {
      const message = `more than ${String(this.#options.callsPerSecond)} calls in a second of one mapper`;
      throw new CallError('limited', 'RESOURCE_EXHAUSTED', message);
    }
    const bus = this.#lookForConflict(protocol);
    if (bus !== undefined)
      throw new CallError('conflict', 'FAILED_PRECONDITION', conflictText(protocol, bus));
    mapper.heard();
    return device;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {}); // the caller has it; the next one goes on
    return done;
  }

  async #register(
    registration: Registration,
    withData: boolean,
  ): Promise<Encodable<typeof MapperRegisterResponse.fields>> {
    const { state, twins, log } = this.#options;
    const { protocol, name, version, address } = registration;
    if (this.#stopped) throw new CallError('refused', 'UNAVAILABLE', 'the edge core stops');
    const bus = this.#options.busMapper(protocol);
    if (bus !== undefined) throw new CallError('conflict', 'ALREADY_EXISTS', conflictText(protocol, bus));
    const before = this.#mappers.get(protocol);
    if (before === undefined && this.#mappers.size >= MAX_MAPPERS)
      throw new CallError('limited', 'RESOURCE_EXHAUSTED', `${String(MAX_MAPPERS)} mappers have registered`);
    if (before !== undefined && (await this.#isAnother(before, registration))) {
      const message = `the mapper ${before.registration.name} serves ${protocol}, and is there`;
      throw new CallError('conflict', 'ALREADY_EXISTS', message);
    }
    await state.write(`${PREFIX}${protocol}`, { name, version, address });
    await before?.stop();
    this.#conflicts.delete(protocol);
    const mapper = this.#add(registration);
    twins.forgetStates(protocol);
    twins.setSilent(protocol, false);
    log.info({ mapper: name, version, protocol, address }, 'a mapper has registered over DMI');
    const given = withData ? await this.#describeAll(protocol) : [];
    mapper.orders.given(given);
    for (const device of given) this.#answered(device, undefined);
    for (const id of [...this.#idsOf(protocol), ...(before?.orders.held ?? [])]) mapper.orders.mark(id);
    mapper.start();
    const models = new Map(given.map(({ model }) => [model.id, model.message]));
    return { modelList: [...models.values()], deviceList: given.map(({ message }) => message) };
  }

  async #isAnother(before: DmiMapper, { name, address }: Registration): Promise<boolean> {
    const { registration } = before;
    if (registration.name === name || registration.address === address) return false;
    return before.answers(THERE_MS);
  }

  /** As much as has place in an answer. */
  async #describeAll(protocol: string): Promise<readonly DescribedDevice[]> {
    const found: DescribedDevice[] = [];
    const models = new Set<string>();
    let bytes = 0;
    for (const id of this.#idsOf(protocol)) {
      const device = await this.#options.describer.describe(id).catch((error: unknown) => {
        this.#options.log.warn({ err: error, device: id }, 'a device cannot be read for its mapper');
        return undefined; // it is given to it later, when it can be
      });
      if (device === undefined) continue;
      bytes += DmiDevice.encode(device.message).length + 16;
      if (!models.has(device.model.id)) bytes += DmiDeviceModel.encode(device.model.message).length + 16;
      if (bytes > MAX_ANSWER_BYTES) break;
      models.add(device.model.id);
      found.push(device);
    }
    return found;
  }

  // ── what mappers are told ────────────────────────────────────────────────────────────────────────────────────

  #add(registration: Registration): DmiMapper {
    const {
      describer,
      twins,
      callsPerSecond,
      counters,
      clock,
      random,
      log,
      times = DMI_TIMES,
    } = this.#options;
    const { protocol, name } = registration;
    const mapper = new DmiMapper({
      ...{ registration, callsPerSecond, counters, times, clock, random },
      log: log.child({ mapper: name }),
      describe: async (id) =>
        this.#conflicts.has(protocol) || !this.#isOf(id, protocol) ? undefined : describer.describe(id),
      onAnswer: (device, refusal) => this.#answered(device, refusal),
      onSilent: (silent) => {
        if (silent)
          log.warn(
            { mapper: name, protocol },
            'a DMI mapper is silent: the states of its devices are unknown',
          );
        if (!this.#conflicts.has(protocol)) twins.setSilent(protocol, silent);
      },
      onForgotten: () => void this.#inTurn(() => this.#forget(mapper)),
      onLook: () => this.#lookForConflict(protocol),
      ids: () => this.#idsOf(protocol),
    });
    this.#mappers.set(protocol, mapper);
    return mapper;
  }

  /** Never rejects. */
  async #forget(mapper: DmiMapper): Promise<void> {
    const { state, log } = this.#options;
    const { protocol, name } = mapper.registration;
    // It may have registered again while this waited for its turn.
    if (this.#stopped || this.#mappers.get(protocol) !== mapper) return;
    this.#mappers.delete(protocol);
    this.#conflicts.delete(protocol);
    log.warn({ mapper: name, protocol }, 'a DMI mapper is forgotten: nothing was heard of it for too long');
    await mapper.stop();
    if (this.#mappers.has(protocol)) return;
    await state.remove(`${PREFIX}${protocol}`).catch((error: unknown) => {
      log.warn({ err: error, mapper: name }, 'a DMI mapper stays on the disk'); // it is forgotten again after a restart
    });
  }

  /** What the mapper said of a device becomes its condition. */
  #answered({ namespace, name }: DescribedDevice, refusal: string | undefined): void {
    if (this.#options.directory.get(namespace, name) === undefined) return;
    const remedy = 'See the log of the mapper, and compare configData with what it expects.';
    const problems =
      refusal === undefined ? [] : [{ path: REFUSED_PATH, message: `its mapper says: ${refusal}`, remedy }];
    this.#options.twins.refuse(namespace, name, problems);
  }

  #changed(id: string): void {
    const device = this.#deviceOf(id);
    if (device === undefined) this.#versions.delete(id);
    for (const [protocol, { orders }] of this.#mappers)
      if (device?.protocol === protocol || orders.held.has(id)) orders.mark(id);
  }

  /** Most changes of twins are readings. */
  #settingsChanged(id: string): void {
    const protocol = this.#deviceOf(id)?.protocol;
    const mapper = protocol === undefined ? undefined : this.#mappers.get(protocol);
    if (mapper === undefined) return;
    const settings = this.#options.twins.expected(id) ?? [];
    const versions = JSON.stringify([...settings].map(([property, { version }]) => [property, version]));
    if (this.#versions.get(id) === versions) return;
    this.#versions.set(id, versions);
    mapper.orders.mark(id);
  }

  /** @returns the mapper on the bus that has the protocol */
  #lookForConflict(protocol: string): string | undefined {
    const bus = this.#options.busMapper(protocol);
    if (bus === this.#conflicts.get(protocol)) return bus;
    if (bus === undefined) this.#conflicts.delete(protocol);
    else {
      this.#options.log.error({ protocol, mapper: bus }, conflictText(protocol, bus));
      this.#conflicts.set(protocol, bus);
    }
    const { orders, silent = true } = this.#mappers.get(protocol) ?? {};
    // What the bus said of silence was of the other mapper.
    if (bus === undefined && orders !== undefined) this.#options.twins.setSilent(protocol, silent);
    for (const id of new Set([...this.#idsOf(protocol), ...(orders?.held ?? [])])) orders?.mark(id);
    return bus;
  }

  #idsOf(protocol: string): readonly string[] {
    return this.#options.directory
      .list()
      .flatMap(({ id, device }) => (device?.protocol === protocol ? [id] : []));
  }

  #isOf(id: string, protocol: string): boolean {
    return this.#deviceOf(id)?.protocol === protocol;
  }

  #deviceOf(id: string): BoundDevice | undefined {
    const [namespace = '', name = ''] = id.split('/');
    return this.#options.directory.get(namespace, name)?.device;
  }
}

function conflictText(protocol: string, bus: string): string {
  return `the mapper ${bus} on the event bus serves ${protocol}: a protocol is served by one mapper only`;
}
