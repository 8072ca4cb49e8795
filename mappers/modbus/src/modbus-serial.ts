import type { EventEmitter } from 'node:events';
import { createRequire, Module } from 'node:module';
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';

/**
 * What ModbusRTU of modbus-serial wants of a port. Ours stand in for those of the package (`TcpPort`, `RTUBufferedPort`),
 * which do not do for a mapper that has to run for years; seen in 8.0.25:
 * - an error of an open TCP socket is told to nobody: `openFlag` is cleared first, and then `close` is not passed on;
 * - requests under way are not ended when the connection is; `destroy` takes away their time limits as well;
 * - transaction ids go round after 256, and an answer that comes 256 requests late is taken; on serial lines there is
 *   just one id, and any late answer is taken for the next one;
 * - length and protocol of a TCP frame are not looked at: a single wrong byte puts a connection out of step for ever;
 * - an error of a serial port that closes is thrown into the event loop, where it ends the process;
 * - one byte of noise on a serial line costs the answer behind it.
 */
export interface RequestPort extends EventEmitter {
  readonly isOpen: boolean;
  open(callback: (error?: Error | null) => void): void;
  close(callback: () => void): void;
  destroy(): void;
  /**
   * Its answer comes as the event `data`, in the same form.
   * @param frame as on a serial line: unit, request, CRC
   */
  write(frame: Buffer): void;
}

type ModbusConstructor = new (port: RequestPort) => ModbusRTU;

/** Modules that load `serialport` as soon as the package is loaded, of use only with the ports that we do not use. */
const LOADING_SERIALPORT = [
  'modbus-serial/ports/rtubufferedport.js',
  'modbus-serial/servers/serverserial.js',
];

/** Encodes requests and decodes answers: one at a time over `port`. Loads the package when first called. */
export function modbusOver(port: RequestPort): ModbusRTU {
  const require = createRequire(import.meta.url);
  for (const name of LOADING_SERIALPORT) {
    const file = require.resolve(name);
    // TCP alone shall need no native code: it is not there for every processor, and costs memory.
    require.cache[file] ??= Object.assign(new Module(file), { exports: {}, loaded: true });
  }
  const Modbus = require('modbus-serial') as ModbusConstructor;
  const modbus = new Modbus(port);
  modbus.open(); // our ports are open already, and say so at once
  return modbus;
}
