import type { Driver } from '@hawser/mapper-sdk';
import { checkDevice } from './check.ts';
import type { ModbusProtocol, ModbusVisitor } from './config.ts';
import { ModbusConnection } from './connection.ts';
import { protocolSchema, visitorSchema } from './schemas.ts';
import { SerialLines } from './serial-lines.ts';
import { TcpLink } from './tcp-link.ts';

/** Least time that a TCP connection is given: a lost SYN is sent again after a second. */
const CONNECT_MS = 3000;
/** Enough for all that a device has on a line of {@link USUAL_BAUD}; slower ones get more in proportion. */
const LEAST_READ_MS = 10_000;
const USUAL_BAUD = 9600;
/** Requests of one call whose pauses are reckoned with. */
const MANY_REQUESTS = 16;
/** Requests without an answer that one call may come to: the first one that gets none ends it. */
const LATE_ANSWERS = 2;

/** A device file is of the whole process, whatever connections there are. */
const lines = new SerialLines();

/** Modbus over TCP and serial lines: the protocol `modbus`. */
export const driver: Driver<ModbusProtocol, ModbusVisitor> = {
  protocol: 'modbus',
  version: '0.1.0',
  schemas: { protocol: protocolSchema, visitor: visitorSchema },
  check: checkDevice,
  connectionOf: (config) =>
    config.commType === 'rtu'
      ? `rtu:${config.serialPort ?? ''} ${config.baudRate} ${config.dataBits} ${config.parity} ${config.stopBits}`
      : `tcp:${(config.ip ?? '').toLowerCase()}:${config.port}`,
  timeoutMs: ({ commType, timeoutMs, retries, delayMs, baudRate }) => {
    const slowness = commType === 'rtu' ? Math.max(1, USUAL_BAUD / baudRate) : 1;
    const tries = LATE_ANSWERS * (1 + retries) * timeoutMs;
    return Math.max(LEAST_READ_MS * slowness, tries + CONNECT_MS) + MANY_REQUESTS * delayMs;
  },
  async open(config, context, signal) {
    if (config.commType === 'rtu') {
      const link = await lines.open(config.serialPort ?? '', config, context);
      return new ModbusConnection(link, context);
    }
    const { ip: host = '', port, timeoutMs } = config;
    const link = new TcpLink({ host, port, connectMs: Math.max(timeoutMs, CONNECT_MS) }, context);
    await link.client(signal);
    return new ModbusConnection(link, context);
  },
};
