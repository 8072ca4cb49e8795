import {
  deviceTopic,
  membershipTopic,
  parseTopic,
  readBase,
  readStateUpdate,
  readTwinUpdate,
  type BusTwin,
  type MemberDevice,
  type ReadTwinUpdate,
  type TwinDelta,
} from '@hawser/devices';
import type { Clock, Logger } from '@hawser/seams';
import type { DeviceDirectory, DirectoryEntry } from '../devices/device-directory.ts';
import type { BusMessage, EventBus } from '../event-bus/event-bus.ts';
import { busTwin, BusVoice, codeOf, speaksFor, type BusCounters } from './bus-messages.ts';
import type { DeviceView, TwinChange, Twins } from './twins.ts';

/** What a {@link TwinTopics} needs. */
export interface TwinTopicsOptions {
  readonly bus: EventBus;
  readonly twins: Twins;
  /** Started before. */
  readonly directory: DeviceDirectory;
  /** Name of the node. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * KubeEdge's topics of twins, states and membership. Results go out under their own topics with the `event_id` of what
 * they answer; each change is told as a document, each set of differences between expected and actual values as a delta.
 * Who may publish what is the broker's to say; what a mapper says of a device it must speak the protocol of, here too.
 */
export class TwinTopics {
  readonly #options: TwinTopicsOptions;
  readonly #voice: BusVoice;
  /** What was last told of each device that somebody hears of. */
  readonly #told = new Map<string, { readonly twins: Map<string, BusTwin>; delta: string }>();
  readonly #members = new Map<string, MemberDevice>();
  #endings: (() => void)[] = [];

  constructor(options: TwinTopicsOptions) {
    this.#options = options;
    this.#voice = new BusVoice(options);
  }

  get counters(): BusCounters {
    return this.#voice.counters;
  }

  /** Called once. */
  start(): void {
    const { twins, directory, node } = this.#options;
    for (const entry of directory.list()) this.#members.set(entry.id, memberOf(entry));
    this.#endings = [
      twins.listen((change) => this.#changed(change)),
      directory.listen((id, entry) => this.#membership(id, entry)),
    ];
    const device = (suffix: 'stateUpdate' | 'twinUpdate' | 'twinGet'): string =>
      deviceTopic('+', '+', suffix);
    this.#voice.hear(device('stateUpdate'), (message) => this.#state(message));
    this.#voice.hear(device('twinUpdate'), (message) => this.#update(message));
    this.#voice.hear(device('twinGet'), (message) => this.#get(message));
    this.#voice.hear(membershipTopic(node, 'get'), (message) => this.#list(message));
  }

  /** Idempotent. */
  stop(): void {
    for (const ending of this.#endings.splice(0)) ending();
    this.#voice.end();
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #state(message: BusMessage): void {
    const { namespace, name } = deviceOf(message.topic);
    const answer = deviceTopic(namespace, name, 'stateUpdateResult');
    this.#answering(answer, message, () => {
      const { eventId, state } = readStateUpdate(message.payload);
      const view = this.#view(namespace, name);
      if (view === undefined) return this.#failure(eventId, 404, namespace, name);
      if (!speaksFor(message, view.protocol)) return this.#forbidden(eventId, view);
      this.#options.twins.reportState(namespace, name, state);
      return { ...this.#voice.base(eventId), state };
    });
  }

  async #update(message: BusMessage): Promise<void> {
    const { namespace, name } = deviceOf(message.topic);
    const topic = deviceTopic(namespace, name, 'twinUpdateResult');
    let eventId = '';
    try {
      const update = readTwinUpdate(message.payload);
      ({ eventId } = update);
      const view = this.#view(namespace, name);
      if (view === undefined) {
        this.#voice.say(topic, this.#failure(eventId, 404, namespace, name));
        return;
      }
      const { expected, actual } = valuesOf(update);
      if (actual !== undefined && !speaksFor(message, view.protocol)) {
        this.#voice.say(topic, this.#forbidden(eventId, view));
        return;
      }
      if (expected !== undefined) await this.#options.twins.set(namespace, name, expected);
      const refused =
        actual === undefined ? {} : this.#options.twins.report(namespace, name, actual, actualTime(update));
      const reasons = Object.values(refused);
      if (reasons.length > 0) {
        this.#voice.say(topic, this.#voice.failure(eventId, 422, reasons.join('; ')));
        return;
      }
      if (!this.#voice.isHeard(topic)) return;
      const after = this.#view(namespace, name);
      if (after !== undefined)
        this.#voice.say(topic, { ...this.#voice.base(eventId), twin: twinsOf(after, update.twin) });
    } catch (error) {
      this.#voice.say(topic, this.#voice.failure(eventId, codeOf(error), (error as Error).message));
      throw error;
    }
  }

  #get(message: BusMessage): void {
    const { namespace, name } = deviceOf(message.topic);
    this.#answering(deviceTopic(namespace, name, 'twinGetResult'), message, () => {
      const { eventId } = readBase(message.payload);
      const view = this.#view(namespace, name);
      if (view === undefined) return this.#failure(eventId, 404, namespace, name);
      return { ...this.#voice.base(eventId), twin: twinsOf(view) };
    });
  }

  #list(message: BusMessage): void {
    this.#answering(membershipTopic(this.#options.node, 'get/result'), message, () => {
      const { eventId } = readBase(message.payload);
      const devices = [...this.#members.values()].map((member) => this.#withState(member));
      return { ...this.#voice.base(eventId), devices };
    });
  }

  #answering(topic: string, _message: BusMessage, answer: () => object): void {
    let said: object;
    try {
      said = answer();
    } catch (error) {
      this.#voice.say(topic, this.#voice.failure('', codeOf(error), (error as Error).message));
      throw error;
    }
    if (this.#voice.isHeard(topic)) this.#voice.say(topic, said);
  }

  #failure(eventId: string, code: number, namespace: string, name: string): object {
    return this.#voice.failure(eventId, code, `there is no device ${namespace}/${name} at this node`);
  }

  #forbidden(eventId: string, { namespace, name, protocol }: DeviceView): object {
    this.#voice.counters.forbidden += 1;
    const reason = `${namespace}/${name} is of the protocol ${protocol}, which this client does not speak for`;
    return this.#voice.failure(eventId, 403, reason);
  }

  #view(namespace: string, name: string): DeviceView | undefined {
    return this.#options.twins.view(namespace, name);
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #changed({ namespace, name, properties }: TwinChange): void {
    if (properties.length === 0) return;
    const id = `${namespace}/${name}`;
    const document = deviceTopic(namespace, name, 'twinUpdateDocument');
    const delta = deviceTopic(namespace, name, 'twinUpdateDelta');
    const isDocumentHeard = this.#voice.isHeard(document);
    const isDeltaHeard = this.#voice.isHeard(delta);
    if (!isDocumentHeard && !isDeltaHeard) {
      this.#told.delete(id);
      return;
    }
    const view = this.#view(namespace, name);
    if (view === undefined) return;
    const told = this.#told.get(id) ?? { twins: new Map<string, BusTwin>(), delta: '{}' };
    this.#told.set(id, told);
    if (isDocumentHeard) this.#tellDocument(document, view, new Set(properties), told.twins);
    if (isDeltaHeard) {
      const differences = deltaOf(view);
      const text = JSON.stringify(differences.delta);
      const isOther = text !== told.delta;
      told.delta = text;
      if (isOther && text !== '{}') this.#voice.say(delta, { ...this.#voice.base(), ...differences });
    }
  }

  #tellDocument(
    topic: string,
    { twins }: DeviceView,
    changed: ReadonlySet<string>,
    told: Map<string, BusTwin>,
  ): void {
    const twin: Record<string, { last?: BusTwin; current: BusTwin }> = {};
    for (const view of twins) {
      const { property } = view;
      if (!changed.has(property)) continue;
      const last = told.get(property);
      const current = busTwin(view);
      told.set(property, current);
      twin[property] = { ...(last !== undefined && { last }), current };
    }
    if (Object.keys(twin).length > 0) this.#voice.say(topic, { ...this.#voice.base(), twin });
  }

  #membership(id: string, entry: DirectoryEntry | undefined): void {
    const member = this.#members.get(id);
    const topic = membershipTopic(this.#options.node, 'updated');
    if (entry === undefined) {
      this.#members.delete(id);
      this.#told.delete(id);
      if (member !== undefined) this.#tellMembership(topic, [], [member]);
    } else if (member === undefined) {
      const added = memberOf(entry);
      this.#members.set(id, added);
      this.#tellMembership(topic, [this.#withState(added)], []);
    }
  }

  #tellMembership(topic: string, added: readonly MemberDevice[], removed: readonly MemberDevice[]): void {
    this.#voice.say(topic, { ...this.#voice.base(), added_devices: added, removed_devices: removed });
  }

  #withState(member: MemberDevice): MemberDevice {
    const state = this.#view(member.namespace, member.name)?.state;
    return { ...member, ...(state !== undefined && { state }) };
  }
}

function memberOf({ id, namespace, name }: DirectoryEntry): MemberDevice {
  return { id, name, namespace };
}

function deviceOf(topic: string): { readonly namespace: string; readonly name: string } {
  const parsed = parseTopic(topic);
  // Only such topics are subscribed to.
  return parsed.kind === 'device' ? parsed : { namespace: '', name: '' };
}

/** Twins of a device, or those of them that are named. */
function twinsOf({ twins }: DeviceView, named?: ReadonlyMap<string, unknown>): Record<string, BusTwin> {
  const found: Record<string, BusTwin> = {};
  for (const view of twins)
    if (named === undefined || named.has(view.property)) found[view.property] = busTwin(view);
  return found;
}

function deltaOf({ twins }: DeviceView): Pick<TwinDelta, 'twin' | 'delta'> {
  const delta: Record<string, string> = {};
  const twin: Record<string, BusTwin> = {};
  for (const view of twins) {
    const { property, expected, reported } = view;
    if (expected === undefined || expected.value === reported?.value) continue;
    delta[property] = expected.value;
    twin[property] = busTwin(view);
  }
  return { twin, delta };
}

function valuesOf({ twin }: ReadTwinUpdate): Partial<Record<'expected' | 'actual', Record<string, string>>> {
  const expected: Record<string, string> = {};
  const actual: Record<string, string> = {};
  for (const [property, said] of twin) {
    if (said.expected?.value !== undefined) expected[property] = said.expected.value;
    if (said.actual?.value !== undefined) actual[property] = said.actual.value;
  }
  return {
    ...(Object.keys(expected).length > 0 && { expected }),
    ...(Object.keys(actual).length > 0 && { actual }),
  };
}

/** When the values were read: as one of them says, or the message; undefined: nobody says. */
function actualTime({ twin, timestampMs }: ReadTwinUpdate): number | undefined {
  for (const { actual } of twin.values())
    if (actual?.metadata?.timestamp !== undefined) return actual.metadata.timestamp;
  return timestampMs;
}
