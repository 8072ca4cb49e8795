import type { DeviceState, Problem } from '@hawser/devices';

/** One property of a device: what shall be, and what is. */
export interface TwinView {
  readonly property: string;
  readonly type: string;
  readonly writable: boolean;
  readonly unit?: string;
  readonly expected?: {
    readonly value: string;
    readonly version: string;
    /** `cloud`: the Device object; `edge`: set at this node, and not yet in the cloud. */
    readonly from: 'cloud' | 'edge';
    /** What the mapper said of it; undefined: nothing yet. */
    readonly settled?: { readonly ok: boolean; readonly message?: string; readonly atMs: number };
  };
  readonly reported?: { readonly value: string; readonly atMs: number };
}

/** A device as people and programs at the edge see it. Times are wall clock, milliseconds. */
export interface DeviceView {
  readonly namespace: string;
  readonly name: string;
  readonly protocol: string;
  readonly state: DeviceState;
  readonly lastOnlineMs?: number;
  readonly twins: readonly TwinView[];
  /** What keeps it from working: of the object, or what its mapper said. */
  readonly problems: readonly Problem[];
}

/** What has become other of a device. */
export interface TwinChange {
  readonly namespace: string;
  readonly name: string;
  /** Properties whose expected value, settlement or reported value changed; empty: state or problems did. */
  readonly properties: readonly string[];
}

/**
 * The twins of this node's devices. Throws `DeviceError` of `@hawser/devices` where what is said is not valid:
 * `ERR_DEVICES_UNKNOWN` (no such device or property), `ERR_DEVICES_VALUE`, `ERR_DEVICES_READ_ONLY`.
 */
export interface Twins {
  view(namespace: string, name: string): DeviceView | undefined;
  views(): readonly DeviceView[];
  /**
   * Values that the device has, as text; latest wins. Values that do not fit their type are refused one by one, and the
   * others are taken.
   * @param atMs when they were read; wall clock. Default: now
   * @returns what was refused, by property
   */
  report(
    namespace: string,
    name: string,
    values: Readonly<Record<string, string>>,
    atMs?: number,
  ): Readonly<Record<string, string>>;
  /** The device says how it is. */
  reportState(namespace: string, name: string, state: DeviceState): void;
  /** What became of settings: see `MapperSettled`. Versions other than the present one are passed over. */
  settle(
    namespace: string,
    name: string,
    results: Readonly<Record<string, { version: string; ok: boolean; message?: string }>>,
  ): void;
  /** Why its mapper does not serve the device; empty: it does. */
  refuse(namespace: string, name: string, problems: readonly Problem[]): void;
  /**
   * Sets values at the edge: all or none. Durable when it resolves; the mapper is told then, and the cloud as soon as there
   * is one.
   */
  set(namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** @returns ends it */
  listen(listener: (change: TwinChange) => void): () => void;
}
