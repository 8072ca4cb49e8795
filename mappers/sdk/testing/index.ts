export { boundDevice, type PropertyOptions } from './bound-device.ts';
export { TestBus, type Published } from './test-bus.ts';
