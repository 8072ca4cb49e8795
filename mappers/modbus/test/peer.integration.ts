import assert from 'node:assert/strict';
import { ModbusPeer } from '../testing/index.ts';
import { describeUnless } from './site.ts';

describeUnless(ModbusPeer.missing(), 'the Modbus device of tests', () => {
  it('answers nobody once it was killed, and says so at once', async () => {
    const peer = await ModbusPeer.tcp();
    try {
      await peer.set(1, 'holding', 0, [7]);
      assert.deepEqual(await peer.get(1, 'holding', 0, 1), [7]);
      await peer.kill();
      await assert.rejects(peer.get(1, 'holding', 0, 1), /the Modbus peer has ended/);
      await peer.kill();
    } finally {
      await peer.stop();
    }
  });
});
