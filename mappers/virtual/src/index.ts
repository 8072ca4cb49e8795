export {
  FAULTS,
  SIGNALS,
  type Fault,
  type SignalKind,
  type VirtualConfig,
  type VirtualVisitor,
} from './schemas.ts';
export { VirtualDriver } from './virtual-driver.ts';
