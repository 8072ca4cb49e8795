import { DeviceError, isProtocolName, SchemaChecker, type JsonSchema } from '@hawser/devices';
import {
  isPlainObject,
  Reflector,
  resourceListerWatcher,
  RESOURCES,
  type ApiClient,
  type KubeObject,
  type ReflectorPhase,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { texts } from '../cache/json-reader.ts';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';

/** What a ConfigMap with schemas has to have. */
const KEYS = { protocol: 'protocol.json', visitor: 'visitor.json' } as const;

/** Settings of {@link MapperSchemas}. */
export interface MapperSchemasOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** The schemas of a protocol are others than before, or gone. */
  readonly onChange: (protocol: string) => void;
  readonly onError: (error: Error, phase: ReflectorPhase) => void;
}

/** The ConfigMap that has the schemas of a protocol. */
export interface SchemaSource {
  readonly name: string;
  readonly uid: string;
  readonly version: string;
}

interface SchemaEntry extends SchemaSource {
  readonly protocol: string;
  readonly data: Readonly<Record<string, string>>;
  /** Made when it is needed first: a protocol without devices costs its text. */
  checker?: Promise<SchemaChecker>;
}

/**
 * Schemas of `configData`, by protocol: ConfigMaps in hawser-system with the label `hawser.dev/mapper-schema`, whose value
 * is the protocol. Of several for one protocol that with the first name counts.
 */
export class MapperSchemas {
  readonly #options: MapperSchemasOptions;
  readonly #reflector: Reflector<SchemaEntry>;
  /** By name of the ConfigMap. */
  readonly #entries = new Map<string, SchemaEntry>();

  constructor(options: MapperSchemasOptions) {
    this.#options = options;
    const { client, clock, onError } = options;
    const scope = { namespace: HAWSER_NAMESPACE, labelSelector: LABELS.mapperSchema };
    this.#reflector = new Reflector<SchemaEntry>({
      name: 'configmaps/mapper-schemas',
      listerWatcher: resourceListerWatcher(client, RESOURCES.configmaps, scope),
      sink: {
        prepare: entryOf,
        replace: (entries) => this.#replace([...entries]),
        put: (entry) => this.#put(entry),
        remove: ({ metadata: { name = '' } }) => this.#remove(name),
      },
      initialVersion: '',
      suspectsRestores: true,
      ...{ onError, clock },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /** Resolves when all were seen. Errors: `signal.reason`; `ERR_KUBE_CLIENT_CLOSED` once stopped. */
  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#reflector.waitForSync(signal);
  }

  /** Where the schemas of a protocol are; undefined: nowhere. */
  sourceOf(protocol: string): SchemaSource | undefined {
    return this.#find(protocol);
  }

  /** undefined: the protocol has no schemas. @throws DeviceError `ERR_DEVICES_SCHEMA`: they cannot be used */
  async checkerOf(protocol: string): Promise<SchemaChecker | undefined> {
    const entry = this.#find(protocol);
    if (entry === undefined) return undefined;
    entry.checker ??= load(entry.data);
    return entry.checker;
  }

  #find(protocol: string): SchemaEntry | undefined {
    let found: SchemaEntry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.protocol === protocol && (found === undefined || entry.name < found.name)) found = entry;
    }
    return found;
  }

  #replace(entries: readonly SchemaEntry[]): void {
    const listed = new Set(entries.map(({ name }) => name));
    for (const name of [...this.#entries.keys()]) if (!listed.has(name)) this.#remove(name);
    for (const entry of entries) this.#put(entry);
  }

  #put(entry: SchemaEntry): void {
    const before = this.#entries.get(entry.name);
    if (before?.uid === entry.uid && before.version === entry.version) return;
    this.#entries.set(entry.name, entry);
    if (before !== undefined && before.protocol !== entry.protocol) this.#options.onChange(before.protocol);
    this.#options.onChange(entry.protocol);
  }

  #remove(name: string): void {
    const before = this.#entries.get(name);
    if (this.#entries.delete(name) && before !== undefined) this.#options.onChange(before.protocol);
  }
}

function entryOf({ metadata, ...fields }: KubeObject): SchemaEntry | undefined {
  const protocol = (metadata.labels?.[LABELS.mapperSchema] ?? '').toLowerCase();
  if (!isProtocolName(protocol)) return undefined;
  const { name = '', uid = '', resourceVersion: version = '' } = metadata;
  return { name, uid, version, protocol, data: texts(fields['data']) };
}

async function load(data: Readonly<Record<string, string>>): Promise<SchemaChecker> {
  return SchemaChecker.load({ protocol: parse(data, KEYS.protocol), visitor: parse(data, KEYS.visitor) });
}

/** One that says nothing of a key takes anything there. */
function parse(data: Readonly<Record<string, string>>, key: string): JsonSchema {
  const text = data[key];
  if (text === undefined)
    throw new DeviceError('ERR_DEVICES_SCHEMA', `the key ${key} is missing; {} takes anything`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw new DeviceError('ERR_DEVICES_SCHEMA', `${key} is no JSON: ${String(cause)}`, { cause });
  }
  if (!isPlainObject(schema)) throw new DeviceError('ERR_DEVICES_SCHEMA', `${key} must be an object`);
  return schema;
}
