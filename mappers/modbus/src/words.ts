import type { RegisterKind } from './config.ts';

const EXCEPTIONS: Readonly<Record<number, { name: string; remedy: string }>> = {
  1: {
    name: 'illegal function',
    remedy: 'The device does not have this kind of register, or cannot write it: try another `register`.',
  },
  2: {
    name: 'illegal data address',
    remedy:
      'The device has no such address: compare `offset` (counted from 0) and `limit` with its handbook.',
  },
  3: {
    name: 'illegal data value',
    remedy: 'The device does not take this value, or this many registers at once.',
  },
  4: { name: 'device failure', remedy: 'The device could not do it: look at its own diagnostics.' },
  5: {
    name: 'acknowledge',
    remedy: 'The device is still at work: set a longer `timeoutMs`, or poll less often.',
  },
  6: { name: 'device busy', remedy: 'The device is busy: set `delayMs`, or poll less often.' },
  7: { name: 'negative acknowledge', remedy: 'The device could not do it: look at its own diagnostics.' },
  8: {
    name: 'memory parity error',
    remedy: 'The memory of the device is damaged: look at its own diagnostics.',
  },
  10: {
    name: 'gateway path unavailable',
    remedy: 'The gateway is not set up for this unit: see its ports and `slaveID`.',
  },
  11: {
    name: 'gateway target device failed to respond',
    remedy: 'The unit behind the gateway does not answer: see its power, wires and `slaveID`.',
  },
};

/** Codes that say that a gateway answers, but not the device. */
const OF_GATEWAYS: ReadonlySet<number> = new Set([10, 11]);
/** Codes that say: later. */
const OF_BUSY: ReadonlySet<number> = new Set([5, 6]);
/** Codes that may be about one address of several: what is read together is then read apart. */
const OF_ADDRESSES: ReadonlySet<number> = new Set([2, 3, 4]);

/** What a request was about, for people. */
export interface RequestWords {
  readonly functionCode: number;
  readonly unit: number;
  readonly register: RegisterKind;
  readonly offset: number;
  readonly count: number;
}

/** Such as `HoldingRegister 4 to 7 of unit 1 (function code 3)`. */
export function describe({ functionCode, unit, register, offset, count }: RequestWords): string {
  const range = count === 1 ? `${offset}` : `${offset} to ${offset + count - 1}`;
  return `${register} ${range} of unit ${unit} (function code ${functionCode})`;
}

/** The device, or a gateway before it, answered that it does not do what was asked (Modbus Application Protocol 7). */
export class ModbusException extends Error {
  override readonly name = 'ModbusException';
  readonly code: number;

  constructor(code: number, request: RequestWords) {
    const known = EXCEPTIONS[code];
    super(
      `${describe(request)}: exception ${code}, ${known?.name ?? 'not one of the standard'}. ` +
        (known?.remedy ?? 'See the handbook of the device.'),
    );
    this.code = code;
  }

  /** Not the device has answered, but a gateway that cannot reach it. */
  get ofGateway(): boolean {
    return OF_GATEWAYS.has(this.code);
  }

  get busy(): boolean {
    return OF_BUSY.has(this.code);
  }

  /** May be about one of several addresses. */
  get ofAddress(): boolean {
    return OF_ADDRESSES.has(this.code);
  }
}

/** No answer, or none that can be trusted. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The connection ended while a request was under way, or could not be made. */
export class LinkDown extends Error {
  override readonly name = 'LinkDown';
}
