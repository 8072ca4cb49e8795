/** How a device is reached: `protocol.configData`, defaults filled in. */
export interface ModbusProtocol {
  readonly commType: 'tcp' | 'rtu';
  /** TCP: address or host name. */
  readonly ip?: string;
  /** TCP. Default 502. */
  readonly port: number;
  /** RTU: the device file, `/dev/ttyUSB0`. */
  readonly serialPort?: string;
  /** RTU. Default 9,600. */
  readonly baudRate: number;
  /** RTU. Always 8: with fewer, RTU cannot carry its bytes. */
  readonly dataBits: 8;
  /** RTU. Default none. */
  readonly parity: Parity;
  /** RTU. Default 1. */
  readonly stopBits: 1 | 2;
  /** The unit: 1 … 247; with TCP 0 and 255 as well. Default 1 with TCP; required with RTU. */
  readonly slaveID?: number;
  /** How long one request waits for its answer; time on a serial wire comes on top. Milliseconds, default 1,000. */
  readonly timeoutMs: number;
  /** How often a request that was not answered, or not intact, is sent again. Default 1. */
  readonly retries: number;
  /** Pause between requests on the connection, milliseconds. Default 0. */
  readonly delayMs: number;
  /**
   * Registers that nobody wants and that are read all the same, so that two properties fit into one request; sixteen
   * times as many coils or inputs. Default 8; 0: none.
   */
  readonly maxGap: number;
  /** Writes with function codes 15 and 16 even where one coil or register is all. Default false. */
  readonly writeMultiple: boolean;
  /** The device has function code 22: bits are set without reading the register first. Default false. */
  readonly maskWrite: boolean;
}

export type Parity = 'none' | 'even' | 'odd' | 'mark' | 'space';

export type RegisterKind = 'CoilRegister' | 'DiscreteInputRegister' | 'InputRegister' | 'HoldingRegister';

/** What the registers of a property hold. `bit`: some bits of one register, or one coil. */
export type RawType =
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float'
  | 'double'
  | 'bit'
  | 'string'
  | 'bytes';

/** Where a property is: `visitors.configData`, defaults filled in. Names and meanings of KubeEdge where it has them. */
export interface ModbusVisitor {
  readonly register: RegisterKind;
  /** Address on the wire, from 0: the register that handbooks call 40001 has offset 0. */
  readonly offset: number;
  /** Number of registers, or of coils. Default: what `type` needs, 1 where it says nothing. */
  readonly limit?: number;
  /** The value is what the registers hold, times this. Default 1. */
  readonly scale: number;
  /** The two bytes of each register are the other way round. Default false. */
  readonly isSwap: boolean;
  /** The registers of a value are the other way round: the low one first. Default false. */
  readonly isRegisterSwap: boolean;
  /** Default: see `rawTypeOf`. */
  readonly type?: RawType;
  /** With `type: bit`: the lowest bit, 0 … 15. */
  readonly bit?: number;
  /** With `type: bit`: how many bits. Default 1. */
  readonly bitCount: number;
}

/** The unit that requests of a device are for. */
export function unitOf(config: ModbusProtocol): number {
  return config.slaveID ?? 1;
}

/** Whether a register is a single bit. */
export function isBitKind(register: RegisterKind): boolean {
  return register === 'CoilRegister' || register === 'DiscreteInputRegister';
}

/** Whether the protocol can write it at all. */
export function isWritableKind(register: RegisterKind): boolean {
  return register === 'CoilRegister' || register === 'HoldingRegister';
}
