export type { BluetoothProtocol, BluetoothVisitor, DataConverter, Operation } from './config.ts';
export { driver } from './driver.ts';
export { protocolSchema, visitorSchema } from './schemas.ts';
