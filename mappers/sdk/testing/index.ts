export { boundDevice, type PropertyOptions } from './bound-device.ts';
export { describeDriver, type DriverPeer, type PeerProperty } from './describe-driver.ts';
export { TestBus, type Published } from './test-bus.ts';
