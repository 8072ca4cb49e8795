import type { DeviceState } from './objects.ts';

/** What each payload of KubeEdge's topics begins with. Times are milliseconds since 1970. */
export interface BasePayload {
  readonly event_id: string;
  readonly timestamp: number;
}

/** A value on the bus. Readers take JSON of any type; writers say text. */
export interface BusValue {
  readonly value?: string;
  readonly metadata?: { readonly timestamp?: number };
}

/** One property in twin messages. `expected` comes from the cloud, `actual` from the device. */
export interface BusTwin {
  readonly expected?: BusValue;
  readonly actual?: BusValue;
  readonly optional?: boolean;
  readonly metadata?: { readonly type?: string };
}

/** D/state/update. */
export interface StateUpdate extends BasePayload {
  readonly state: DeviceState;
}

/** D/twin/update; D/twin/update/result and D/twin/get/result where all went well. */
export interface TwinMessage extends BasePayload {
  readonly twin: Readonly<Record<string, BusTwin>>;
}

/** The answer to what could not be done. */
export interface FailedResult extends BasePayload {
  /** 400, 403, 404, 422, 429. */
  readonly code: number;
  readonly reason: string;
}

/** D/twin/update/delta. */
export interface TwinDelta extends TwinMessage {
  /** Expected values that differ from the actual ones. */
  readonly delta: Readonly<Record<string, string>>;
}

/** D/twin/update/document. */
export interface TwinDocument extends BasePayload {
  readonly twin: Readonly<Record<string, { readonly last?: BusTwin; readonly current: BusTwin }>>;
}

/** One device in membership messages. */
export interface MemberDevice {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly description?: string;
  readonly state?: DeviceState;
}

/** N/membership/get/result. */
export interface MembershipResult extends BasePayload {
  readonly devices: readonly MemberDevice[];
}

/** N/membership/updated. */
export interface MembershipUpdate extends BasePayload {
  readonly added_devices: readonly MemberDevice[];
  readonly removed_devices: readonly MemberDevice[];
}

/** `$ke/events/device/<name>/data/update`. */
export interface TelemetryMessage {
  readonly deviceName: string;
  readonly propertyName: string;
  readonly value: string;
  readonly type: string;
  readonly namespace: string;
  readonly timestamp: number;
}
