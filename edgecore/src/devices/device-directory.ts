import type { BoundDesired, BoundDevice, Problem } from '@hawser/devices';

/** A device of this node. */
export interface DirectoryEntry {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /**
   * With its model; undefined where it was not valid since the start. Where `problems` are there too it is the last
   * version that was valid, which stays in force. The same object for as long as it is the same.
   */
  readonly device: BoundDevice | undefined;
  /** Desired values as the cloud wants them, by property; those of properties that {@link device} has. */
  readonly desired: ReadonlyMap<string, DirectoryDesired>;
  /** Settings of this node that the cloud has decided, last of each property: their ids. Those of {@link desired}. */
  readonly decided: ReadonlyMap<string, string>;
  /** What is wrong with the Device as it is now. */
  readonly problems: readonly Problem[];
}

/** Its version is that of value and metadata: another one where the cloud has set it anew. */
export type DirectoryDesired = BoundDesired;

/** The devices that the cloud has bound to this node, with their models, from the disk. */
export interface DeviceDirectory {
  /** Resolves when all that is on the disk was looked at. */
  start(): Promise<void>;
  stop(): Promise<void>;
  get(namespace: string, name: string): DirectoryEntry | undefined;
  list(): readonly DirectoryEntry[];
  /** Whether the node has a device of this name, also where it could not be read yet. */
  has(namespace: string, name: string): boolean;
  /** Calls with what is other than before; `undefined`: gone, or another one has its name. @returns ends it */
  listen(listener: (id: string, entry: DirectoryEntry | undefined) => void): () => void;
}
