import type { BoundDevice } from './bound-device.ts';
import type { Problem } from './problem.ts';

/** A JSON schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a protocol takes: of `protocol.configData`, and of `visitors.configData` of a property. */
export interface ProtocolSchemas {
  readonly protocol: JsonSchema;
  readonly visitor: JsonSchema;
}

/** A device for its mapper. */
export interface MapperDevice {
  /** Changes when anything in `device` does. */
  readonly revision: string;
  readonly device: BoundDevice;
}

/** What shall be, of all properties that have a desired value. */
export interface MapperDesired {
  /** By property. A setting with a version that was settled before is not written again. */
  readonly values: Readonly<Record<string, DesiredValue>>;
}

export interface DesiredValue {
  readonly value: string;
  /** Says which setting it is: another one when it is set anew, to the same value too. */
  readonly version: string;
}

/** What became of settings, by property. */
export interface MapperSettled {
  readonly results: Readonly<
    Record<
      string,
      {
        readonly version: string;
        readonly ok: boolean;
        /** Why not, and whether it is tried again. */
        readonly message?: string;
      }
    >
  >;
}

/** Why the mapper does not serve a device; empty: it does. */
export interface MapperRefused {
  /** {@link MapperDevice.revision} of what it looked at. */
  readonly revision: string;
  /** Paths as in the Device: `/spec/protocol/configData/port`. */
  readonly problems: readonly Problem[];
}

/** Something to do now. */
export interface MapperCommand {
  readonly id: string;
  readonly kind: 'read';
  /** Default: all. */
  readonly properties?: readonly string[];
}

export interface MapperCommandResult {
  readonly id: string;
  readonly ok: boolean;
  readonly message?: string;
  /** By property, as text. */
  readonly values?: Readonly<Record<string, string>>;
}

/** What a mapper says of itself when it has connected. */
export interface MapperHello {
  readonly mapper: string;
  readonly version: string;
  readonly schemas: ProtocolSchemas;
}

/** Every 5 s. A mapper that is silent for 15 s is gone, or hangs. */
export interface MapperHeartbeat {
  /** Devices that it serves, and those of them that answer. */
  readonly devices: number;
  readonly online: number;
  /** Messages that it had no place for since it began. */
  readonly dropped: number;
}
