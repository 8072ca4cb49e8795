/** How a device is found and reached: `protocol.configData`, defaults filled in. At least one of the first three is there. */
export interface BluetoothProtocol {
  /** Its address: `A4:C1:38:1A:49:90`. */
  readonly macAddress?: string;
  /** What it calls itself. */
  readonly name?: string;
  /** A service that it advertises, 16, 32 or 128 bits. */
  readonly serviceUUID?: string;
  /** Which adapter of the machine. Default hci0. */
  readonly adapter: string;
  /** How long a connection and the list of its services may take, milliseconds. Default 15,000. */
  readonly connectTimeoutMs: number;
  /** How long the device is looked for, milliseconds. Default 10,000. */
  readonly scanTimeoutMs: number;
  /** Default none. Devices that need it are paired once, by hand. */
  readonly pairing: 'none';
}

/** Where a property is: `visitors.configData`, defaults filled in. Names and meanings of KubeEdge where it has them. */
export interface BluetoothVisitor {
  /** 16, 32 or 128 bits, with or without dashes. */
  readonly characteristicUUID: string;
  /** Needed where several services of the device have the characteristic. */
  readonly serviceUUID?: string;
  /** Values by name, and the bytes that are written for each: see `readBytes`. */
  readonly dataWrite?: Readonly<Record<string, string | readonly number[]>>;
  readonly dataConverter?: DataConverter;
  /** The device says the value by itself, by notifications or indications. Default false. */
  readonly notify: boolean;
}

/** How bytes become a value. */
export interface DataConverter {
  /** The byte that is most significant; bytes count from 0. Default 0. */
  readonly startIndex: number;
  /** The one that is least significant, itself included; it may be before `startIndex`. Default 0. */
  readonly endIndex: number;
  /** Bits. Default 0; one of the two is 0. */
  readonly shiftLeft: number;
  readonly shiftRight: number;
  /** The bytes are a number in two's complement. Default false. */
  readonly signed: boolean;
  /** What is done with the number, one after the other. Default: nothing. */
  readonly orderOfOperations: readonly Operation[];
}

/** One step of `orderOfOperations`. */
export interface Operation {
  readonly operationType: 'Add' | 'Subtract' | 'Multiply' | 'Divide';
  readonly operationValue: number;
}
