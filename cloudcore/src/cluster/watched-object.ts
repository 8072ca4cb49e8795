import {
  compareResourceVersions,
  Reflector,
  resourceListerWatcher,
  type ApiClient,
  type ApiResource,
  type KubeObject,
  type ReflectorPhase,
} from '@hawser/kube';
import type { Clock, Random } from '@hawser/seams';

/** Settings of {@link WatchedObject}. */
export interface WatchedObjectOptions {
  readonly client: ApiClient;
  readonly resource: ApiResource;
  /** `''` for cluster-scoped ones. */
  readonly namespace: string;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The object was seen for the first time, is another, or is gone; once also where it is not there at first. */
  readonly onChange: () => void;
  readonly onError: (error: Error, phase: ReflectorPhase) => void;
}

/** Follows one object by its name. What its owner has written counts at once, and is not taken back by a late event. */
export class WatchedObject {
  readonly #options: WatchedObjectOptions;
  readonly #reflector: Reflector<KubeObject>;
  #object: KubeObject | undefined;
  /** The last version of it that counts; `''`: any is newer. */
  #version = '';
  /** Whether {@link distrust} was called since the last list. */
  #distrusted = false;

  constructor(options: WatchedObjectOptions) {
    this.#options = options;
    const { client, resource, namespace, name, clock, random, onError } = options;
    const scope = { fieldSelector: `metadata.name=${name}`, ...(namespace !== '' && { namespace }) };
    this.#reflector = new Reflector<KubeObject>({
      name: `${resource.resource}/${name}`,
      listerWatcher: resourceListerWatcher(client, resource, scope),
      sink: {
        prepare: (object) => (object.metadata.name === name ? object : undefined),
        replace: (entries, version) => this.#replace([...entries][0], version),
        put: (object) => this.written(object),
        remove: (object) => {
          if (!this.#isLate(object.metadata.resourceVersion ?? '')) this.#set(undefined);
        },
      },
      initialVersion: '',
      suspectsRestores: true,
      ...{ onError, clock, random },
    });
  }

  /** Whether it is known if the object exists. */
  get known(): boolean {
    return this.#reflector.hasSynced;
  }

  /** undefined: it does not exist, or is not known yet. */
  get current(): KubeObject | undefined {
    return this.#object;
  }

  /** The owner has written the object, and this is what the API server answered. */
  written(object: KubeObject): void {
    if (!this.#isLate(object.metadata.resourceVersion ?? '')) this.#set(object);
  }

  /**
   * The API server went back to an older state: versions from before say nothing any more. What is known stays until
   * something else is seen or {@link written}, of whatever version; it is looked for at once.
   */
  distrust(): void {
    this.#distrusted = true;
    this.#version = '';
    this.#reflector.relist();
  }

  start(): void {
    this.#reflector.start();
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  #replace(object: KubeObject | undefined, version: string): void {
    const order = compareResourceVersions(version, this.#reflector.lastVersion);
    // After distrust, that the list is older than those before is known; what was written since counts.
    const wentBack = !this.#distrusted && order !== undefined && order < 0;
    this.#distrusted = false;
    // A list that lacks what was written after it says nothing about it.
    if (!wentBack && this.#isLate(object?.metadata.resourceVersion ?? version)) return;
    // Told after the reflector counts as synced.
    this.#set(object);
  }

  #isLate(version: string): boolean {
    const order = compareResourceVersions(version, this.#version);
    return order !== undefined && order < 0;
  }

  #set(object: KubeObject | undefined): void {
    this.#object = object;
    this.#version = object?.metadata.resourceVersion ?? '';
    queueMicrotask(() => this.#options.onChange());
  }
}
