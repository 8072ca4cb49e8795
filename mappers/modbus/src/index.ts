export { driver } from './driver.ts';
export type { ModbusProtocol, ModbusVisitor, Parity, RawType, RegisterKind } from './config.ts';
export { protocolSchema, visitorSchema } from './schemas.ts';
