import type { AccessMode, ConfigData, PropertyType, PushMethod } from './objects.ts';

/** One property of a device, with what its model says of it: what the device says goes first. */
export interface BoundProperty {
  readonly name: string;
  readonly type: PropertyType;
  readonly accessMode: AccessMode;
  /** As numbers, where the type is one. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly unit?: string;
  /** Of the protocol, as its schema says; `{}` where nothing was said. */
  readonly visitor: ConfigData;
  /** Milliseconds; default 1,000, at least 10. */
  readonly collectCycleMs: number;
  /** Milliseconds; default 1,000. Default of a report: as soon as it changes, and not again for so long. */
  readonly reportCycleMs: number;
  readonly reportToCloud: boolean;
  /**
   * A change that is smaller is not reported to the cloud: the annotation `hawser.dev/dead-band.<property>` of the
   * device, else of the model; `0.5` absolute, `2%` of the value reported last. Numbers only. Default none.
   */
  readonly deadBand?: { readonly kind: 'absolute' | 'percent'; readonly by: number };
  readonly push?: PushMethod;
  /** The device says nothing of it: it is there because its model says how to read it. These stand behind the others. */
  readonly inherited?: true;
}

/** A device with its model: all that a mapper has to know of it, but for the desired values. */
export interface BoundDevice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Name of the protocol, which is that of the mapper; lower case. */
  readonly protocol: string;
  /** `protocolConfigData` of the model, overlaid by `protocol.configData` of the device, key by key. */
  readonly config: ConfigData;
  readonly properties: readonly BoundProperty[];
  readonly state: { readonly reportToCloud: boolean; readonly reportCycleMs: number };
}
