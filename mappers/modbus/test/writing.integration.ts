import assert from 'node:assert/strict';
import { PropertyError } from '@hawser/mapper-sdk';
import { ModbusPeer } from '../testing/index.ts';
import { describeUnless, Site, tcpConfig, visit } from './site.ts';

describeUnless(ModbusPeer.missing(), 'writing', () => {
  let peer: ModbusPeer;
  let site: Site;

  before(async () => {
    peer = await ModbusPeer.tcp();
    site = await Site.open(tcpConfig(peer.port));
  });

  beforeEach(() => peer.forget());

  after(async () => {
    await site.close();
    await peer.stop();
  });

  const requests = async (): Promise<(readonly [number, number, number])[]> =>
    (await peer.requests()).map(({ functionCode, offset, count }) => [functionCode, offset, count] as const);

  it('writes coils with 5 and 15', async () => {
    await site.write(visit({ register: 'CoilRegister', offset: 4 }, { type: 'BOOLEAN' }), true);
    await site.write(visit({ register: 'CoilRegister', offset: 6, limit: 3 }), 0b101);
    await site.write(
      visit({ register: 'CoilRegister', offset: 20, limit: 12 }, { type: 'BYTES' }),
      Uint8Array.of(0xff, 0x0e),
    );
    await site.write(visit({ register: 'CoilRegister', offset: 40 }, { type: 'BOOLEAN' }), true, {
      writeMultiple: true,
    });
    assert.deepEqual(await requests(), [
      [5, 4, 1],
      [15, 6, 3],
      [15, 20, 12],
      [15, 40, 1],
    ]);
    assert.deepEqual(await peer.get(1, 'coil', 4, 5), [1, 0, 1, 0, 1]);
    assert.deepEqual(await peer.get(1, 'coil', 20, 13), [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0]);
    assert.deepEqual(await peer.get(1, 'coil', 40, 1), [1]);
    await site.write(visit({ register: 'CoilRegister', offset: 4 }, { type: 'BOOLEAN' }), false);
    assert.deepEqual(await peer.get(1, 'coil', 4, 1), [0]);
  });

  it('writes registers with 6 and 16, each value in one request', async () => {
    await site.write(visit({ offset: 0 }), 7);
    await site.write(visit({ offset: 1, type: 'uint64' }), 2n ** 64n - 2n);
    await site.write(visit({ offset: 10, limit: 123 }, { type: 'STRING' }), 'x'.repeat(246));
    await site.write(visit({ offset: 5 }), 9, { writeMultiple: true });
    assert.deepEqual(await requests(), [
      [6, 0, 1],
      [16, 1, 4],
      [16, 10, 123],
      [16, 5, 1],
    ]);
    assert.deepEqual(await peer.get(1, 'holding', 0, 6), [7, 65535, 65535, 65535, 65534, 9]);
    assert.deepEqual(await peer.get(1, 'holding', 132, 2), [0x7878, 0]);
  });

  it('changes bits of a register and leaves the others', async () => {
    await peer.set(1, 'holding', 0, [0b1010_1010_1010_1010]);
    await site.write(visit({ offset: 0, bit: 0 }, { type: 'BOOLEAN' }), true);
    assert.deepEqual(await peer.get(1, 'holding', 0, 1), [0b1010_1010_1010_1011]);
    await site.write(visit({ offset: 0, type: 'bit', bit: 4, bitCount: 3 }), 0b101);
    assert.deepEqual(await peer.get(1, 'holding', 0, 1), [0b1010_1010_1101_1011]);
    await site.write(visit({ offset: 0, bit: 15, isSwap: true }, { type: 'BOOLEAN' }), false);
    assert.deepEqual(
      await peer.get(1, 'holding', 0, 1),
      [0b1010_1010_0101_1011],
      'bit 15 is bit 7 on the wire',
    );
    assert.deepEqual(
      (await requests()).map(([functionCode]) => functionCode),
      [3, 6, 3, 6, 3, 6],
    );
    await peer.forget();
    await site.write(visit({ offset: 0, bit: 0 }, { type: 'BOOLEAN' }), true);
    assert.deepEqual(await requests(), [[3, 0, 1]], 'what is so already is not written');
  });

  it('changes bits in one step where the device can', async () => {
    await peer.set(1, 'holding', 0, [0b1010_1010_1010_1010]);
    await site.write(visit({ offset: 0, type: 'bit', bit: 4, bitCount: 3 }), 0b101, { maskWrite: true });
    await site.write(visit({ offset: 0, bit: 15, isSwap: true }, { type: 'BOOLEAN' }), false, {
      maskWrite: true,
    });
    assert.deepEqual(await peer.get(1, 'holding', 0, 1), [0b1010_1010_0101_1010]);
    assert.deepEqual(
      (await requests()).map(([functionCode]) => functionCode),
      [22, 22],
    );
  });

  it('sends nothing where the value does not fit', async () => {
    for (const [visitor, value] of [
      [{ offset: 0 }, 65536],
      [{ offset: 0, type: 'int16', scale: 0.1 }, 3276.75],
      [{ offset: 0, bit: 1 }, 2],
      [{ register: 'CoilRegister', offset: 0 }, 2],
      [{ register: 'InputRegister', offset: 0 }, 1],
    ] as const)
      await assert.rejects(site.write(visit(visitor, { type: 'DOUBLE' }), value), PropertyError);
    assert.equal(await peer.requestCount(), 0);
  });

  it('tells a device that refuses from one that is away', async () => {
    await peer.hole(1, 'holding', 8, 1);
    await assert.rejects(
      site.write(visit({ offset: 8 }), 1),
      (error) =>
        error instanceof PropertyError &&
        error.message.includes('HoldingRegister 8 of unit 1 (function code 6): exception 2'),
    );
    await peer.fault({ kind: 'exception', code: 11 });
    await assert.rejects(
      site.write(visit({ offset: 0 }), 1),
      (error) =>
        !(error instanceof PropertyError) &&
        String(error).includes('gateway target device failed to respond'),
    );
  });

  it('writes again when the answer was lost', async () => {
    await peer.fault({ kind: 'mute' });
    await site.write(visit({ offset: 0 }), 21, { timeoutMs: 50 });
    assert.deepEqual(await requests(), [
      [6, 0, 1],
      [6, 0, 1],
    ]);
    assert.deepEqual(await peer.get(1, 'holding', 0, 1), [21]);
  });
});
