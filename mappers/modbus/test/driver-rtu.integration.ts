import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { describeDriver } from '@hawser/mapper-sdk/testing';
import { driver } from '../src/index.ts';
import { makeSerialPair, ModbusPeer, serialPairMissing, type SerialPair } from '../testing/index.ts';
import { BROKEN, READABLE, REFUSES, setUp, WRITABLE } from './tried-device.ts';
import { describeUnless } from './site.ts';

describeUnless(ModbusPeer.missing() ?? serialPairMissing(), 'Modbus over a serial line', () => {
  let dir: TempDir;
  let pair: SerialPair;
  let peer: ModbusPeer;

  const begin = async (): Promise<void> => {
    pair = await makeSerialPair(dir.path);
    peer = await ModbusPeer.rtu({ serialPort: pair.theirs, unit: 7, baudRate: 19_200, parity: 'even' });
    await setUp(peer, 7);
  };
  const end = async (): Promise<void> => {
    await pair.stop();
    await peer.stop();
  };

  describeDriver(driver, {
    async start() {
      dir = await makeTempDir();
      await begin();
      const line = { serialPort: pair.ours, baudRate: 19_200, parity: 'even' };
      return { commType: 'rtu', slaveID: 7, timeoutMs: 300, ...line };
    },
    async stop() {
      await end();
      await dir.remove();
    },
    readable: READABLE,
    writable: WRITABLE,
    broken: BROKEN,
    refuses: REFUSES,
    async silence() {
      await peer.fault({ kind: 'mute' }, Infinity);
      return () => setUp(peer, 7);
    },
    async cut() {
      await end();
      return begin;
    },
    unreachable: { commType: 'rtu', slaveID: 7, serialPort: '/dev/there-is-no-such-line' },
  });
});
