import { describeDriver } from '@hawser/mapper-sdk/testing';
import { driver } from '../src/driver.ts';
import { PretendDevice } from '../src/pretend-device.ts';

let device: PretendDevice;

// What every driver has to do, tried with a device. Add what is special about yours.
describeDriver(driver, {
  start: async () => {
    device = new PretendDevice();
    return { host: '127.0.0.1', port: await device.listen(0) };
  },
  stop: () => device.close(),
  readable: [{ property: 'temperature', type: 'DOUBLE', visitor: { name: 'temperature' }, expect: 20.5 }],
  writable: [{ property: 'target', type: 'INT', visitor: { name: 'target' }, values: [50, 60] }],
  broken: { property: 'pressure', type: 'DOUBLE', visitor: { name: 'pressure' } },
  refuses: { property: 'temperature', type: 'DOUBLE', visitor: { name: 'temperature' }, value: 3 },
  silence: () => {
    device.silent = true;
    return () => {
      device.silent = false;
    };
  },
  cut: () => {
    device.cut();
    return () => {};
  },
});
