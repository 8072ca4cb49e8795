import type { BoundDevice, Problem } from '@hawser/devices';

/** A device of this node. */
export interface DirectoryEntry {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** With its model; undefined where it is not valid: then `problems` says why. */
  readonly device: BoundDevice | undefined;
  /** Desired values as the cloud wants them, by property; those of properties that the device has. */
  readonly desired: ReadonlyMap<string, DirectoryDesired>;
  readonly problems: readonly Problem[];
}

export interface DirectoryDesired {
  readonly value: string;
  /** Of value and metadata: another one where the cloud has set it anew. */
  readonly version: string;
}

/** The devices that the cloud has bound to this node, with their models, from the disk. */
export interface DeviceDirectory {
  /** Resolves when all that is on the disk was looked at. */
  start(): Promise<void>;
  stop(): Promise<void>;
  get(namespace: string, name: string): DirectoryEntry | undefined;
  list(): readonly DirectoryEntry[];
  /** Calls with what is other than before; `undefined`: gone, or another one has its name. @returns ends it */
  listen(listener: (id: string, entry: DirectoryEntry | undefined) => void): () => void;
}
