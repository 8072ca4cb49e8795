import { describeDriver } from '@hawser/mapper-sdk/testing';
import { driver } from '../src/index.ts';
import { ModbusPeer } from '../testing/index.ts';
import { BROKEN, READABLE, REFUSES, setUp, WRITABLE } from './tried-device.ts';
import { describeUnless } from './site.ts';

describeUnless(ModbusPeer.missing(), 'Modbus over TCP', () => {
  let peer: ModbusPeer;

  const until = async (fault: 'mute' | 'drop'): Promise<() => Promise<void>> => {
    await peer.fault({ kind: fault }, Infinity);
    return () => setUp(peer, 1);
  };

  describeDriver(driver, {
    async start() {
      peer = await ModbusPeer.tcp();
      await setUp(peer, 1);
      return { ip: '127.0.0.1', port: peer.port, timeoutMs: 300 };
    },
    stop: () => peer.stop(),
    readable: READABLE,
    writable: WRITABLE,
    broken: BROKEN,
    refuses: REFUSES,
    silence: () => until('mute'),
    cut: () => until('drop'),
    unreachable: { ip: '127.0.0.1', port: 1 },
  });
});
