/** A characteristic of a device: bytes are hexadecimal. */
export interface PeerCharacteristic {
  readonly uuid: string;
  /** As BlueZ names them: read, write, write-without-response, notify, indicate. */
  readonly flags: readonly string[];
  /** Default: nothing. */
  readonly value?: string;
  /** Longest that can be written, bytes. Default 512. */
  readonly maxLength?: number;
}

export interface PeerService {
  readonly uuid: string;
  readonly characteristics: readonly PeerCharacteristic[];
}

/** A device that is in reach of an adapter. */
export interface PeerDevice {
  readonly address: string;
  /** Default hci0. */
  readonly adapter?: string;
  readonly name?: string;
  /** Services that it advertises. Default none. */
  readonly advertises?: readonly string[];
  readonly services: readonly PeerService[];
  /** How long it takes to connect, milliseconds. Default 5. */
  readonly connectMs?: number;
  /** How long until its services are known. Default 5. */
  readonly resolveMs?: number;
  /** Paired: BlueZ knows it before it is heard, and keeps it. Default false. */
  readonly paired?: boolean;
  /** It never advertises: it can be connected all the same, where it is known. Default false. */
  readonly silent?: boolean;
}

/** What becomes of the next calls of a method. */
export interface PeerFault {
  /** `Connect`, `ReadValue`, `StartDiscovery` … */
  readonly member: string;
  /** Only of this device. Default: of all. */
  readonly address?: string;
  /** Only of this characteristic. Default: of all. */
  readonly uuid?: string;
  /** How many calls. Default 1; -1: all. */
  readonly times?: number;
  /** Answers with an error of BlueZ: `Failed`, `NotReady` …, or of D-Bus, with all of its name. */
  readonly error?: string;
  readonly text?: string;
  /** Does nothing, and does not answer before `mend`. */
  readonly mute?: boolean;
}

/** What the process of the peer is told. */
export type PeerOrder =
  | { readonly do: 'adapter'; readonly name: string; readonly powered: boolean }
  | { readonly do: 'removeAdapter'; readonly name: string }
  | { readonly do: 'put'; readonly device: PeerDevice }
  /** Out of reach: it is not heard, and its connection breaks. */
  | { readonly do: 'vanish'; readonly address: string }
  | { readonly do: 'appear'; readonly address: string }
  /** The device ends its connection, and goes on advertising. */
  | { readonly do: 'hangUp'; readonly address: string }
  | { readonly do: 'set'; readonly address: string; readonly uuid: string; readonly value: string }
  | { readonly do: 'get'; readonly address: string; readonly uuid: string }
  | { readonly do: 'fault'; readonly fault: PeerFault }
  | { readonly do: 'mend' }
  | { readonly do: 'calls' }
  /** No devices, no faults, no calls, and hci0 alone, switched on. */
  | { readonly do: 'reset' }
  | { readonly do: 'state' };

/** How an adapter and its devices are. */
export interface PeerState {
  readonly discovering: boolean;
  /** Clients that scan. */
  readonly scanners: number;
  /** Addresses. */
  readonly connected: readonly string[];
  /** UUIDs of characteristics that notify. */
  readonly notifying: readonly string[];
  /** Most connections that were being made at the same time. */
  readonly mostConnecting: number;
}

export interface PeerRequest {
  readonly id: number;
  readonly order: PeerOrder;
}

export interface PeerAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
