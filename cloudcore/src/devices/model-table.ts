import {
  Reflector,
  resourceListerWatcher,
  type ApiClient,
  type KubeObject,
  type ReflectorPhase,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { DEVICE_MODELS } from '../cache/bound-devices.ts';
import { isOlder } from '../cache/record-table.ts';
import { conditionText, validOf } from './verdict.ts';

/** What is kept of a DeviceModel. */
export interface ModelEntry {
  readonly key: string;
  readonly version: string;
  readonly generation: number;
  /** Metadata and spec. */
  readonly object: KubeObject;
  /** Of its condition `Valid`, see {@link conditionText}. */
  readonly said: string;
}

/** Settings of {@link ModelTable}. */
export interface ModelTableOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** A model is there, is another, or is gone; `content`: whether its devices may be valid or not by it. */
  readonly onChange: (key: string, content: boolean) => void;
  readonly onError: (error: Error, phase: ReflectorPhase) => void;
}

/** Every DeviceModel of the cluster, by `<namespace>/<name>`: there are few of them, and devices that no node has need them. */
export class ModelTable {
  readonly #options: ModelTableOptions;
  readonly #reflector: Reflector<ModelEntry>;
  readonly #models = new Map<string, ModelEntry>();

  constructor(options: ModelTableOptions) {
    this.#options = options;
    const { client, clock, onError } = options;
    this.#reflector = new Reflector<ModelEntry>({
      name: 'devicemodels/validation',
      listerWatcher: resourceListerWatcher(client, DEVICE_MODELS),
      sink: {
        prepare: entryOf,
        replace: (entries) => this.#replace([...entries]),
        put: (entry) => this.#put(entry),
        remove: (object) => this.#remove(entryOf(object).key),
      },
      initialVersion: '',
      suspectsRestores: true,
      ...{ onError, clock },
    });
  }

  get size(): number {
    return this.#models.size;
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

  get(key: string): ModelEntry | undefined {
    return this.#models.get(key);
  }

  /** What the API server answered to a write of its condition, unless what came after it was seen already. */
  written(object: KubeObject): void {
    const entry = entryOf(object);
    const known = this.#models.get(entry.key);
    if (known === undefined || known.object.metadata.uid !== object.metadata.uid) return;
    if (!isOlder(known.version, entry.version)) return;
    this.#models.set(entry.key, { ...known, version: entry.version, said: entry.said });
  }

  #replace(entries: readonly ModelEntry[]): void {
    const listed = new Set(entries.map(({ key }) => key));
    for (const key of [...this.#models.keys()]) if (!listed.has(key)) this.#remove(key);
    for (const entry of entries) this.#put(entry);
  }

  #put(entry: ModelEntry): void {
    const before = this.#models.get(entry.key);
    this.#models.set(entry.key, entry);
    const content = before === undefined || contentText(before) !== contentText(entry);
    if (content || before.said !== entry.said) this.#options.onChange(entry.key, content);
  }

  #remove(key: string): void {
    if (this.#models.delete(key)) this.#options.onChange(key, true);
  }
}

function entryOf(object: KubeObject): ModelEntry {
  const { namespace = '', name = '', uid = '', generation = 0, annotations = {} } = object.metadata;
  const { resourceVersion: version = '' } = object.metadata;
  const metadata = { namespace, name, uid, generation, annotations };
  const { apiVersion, kind, spec } = object;
  const kept = { apiVersion, kind, metadata, spec };
  return {
    key: `${namespace}/${name}`,
    version,
    generation,
    object: kept,
    said: conditionText(validOf(object)),
  };
}

/** An API server that does not know the generation of custom resources has the same for all. */
function contentText({ object }: ModelEntry): string {
  const { uid, annotations } = object.metadata;
  return JSON.stringify([uid, annotations, object['spec']]);
}
