import assert from 'node:assert/strict';
import { ConnectionLost } from '@hawser/mapper-sdk';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { withCrc } from '../src/crc.ts';
import { makeSerialPair, ModbusPeer, serialPairMissing, type SerialPair } from '../testing/index.ts';
import { describeUnless, registers, rtuConfig, Site, visit } from './site.ts';

const A = visit({ offset: 0 });
const B = visit({ offset: 1 });
const UNIT = 5;

describeUnless(ModbusPeer.missing() ?? serialPairMissing(), 'RTU', () => {
  let dir: TempDir;
  let pair: SerialPair;
  let peer: ModbusPeer;
  let site: Site;

  beforeEach(async () => {
    dir = await makeTempDir();
    pair = await makeSerialPair(dir.path);
    peer = await ModbusPeer.rtu({ serialPort: pair.theirs, unit: UNIT, baudRate: 115_200 });
    await peer.set(UNIT, 'holding', 0, [100, 101]);
    site = await Site.open(rtuConfig(pair.ours, { slaveID: UNIT, baudRate: 115_200, timeoutMs: 100 }));
  });

  afterEach(async () => {
    await site.close();
    await peer.stop();
    await pair.stop();
    await dir.remove();
  });

  it('reads and writes', async () => {
    await site.write(visit({ offset: 2, type: 'float' }, { type: 'FLOAT' }), 12.375);
    assert.deepEqual(await peer.get(UNIT, 'holding', 2, 2), [0x4146, 0]);
    assert.deepEqual(
      await site.values([A, B, visit({ offset: 2, type: 'float' }, { type: 'FLOAT' })]),
      [100, 101, 12.375],
    );
    await site.write(visit({ register: 'CoilRegister', offset: 9 }, { type: 'BOOLEAN' }), true);
    assert.deepEqual(
      await site.values([visit({ register: 'CoilRegister', offset: 9 }, { type: 'BOOLEAN' })]),
      [true],
    );
    await peer.set(
      UNIT,
      'holding',
      0,
      Array.from({ length: 200 }, (_, at) => at),
    );
    await peer.forget();
    const all = await site.values(registers(0, 200));
    assert.deepEqual(
      all,
      Array.from({ length: 200 }, (_, at) => at),
    );
    assert.equal(await peer.requestCount(), 2);
  });

  it('tells exceptions, and reads around them', async () => {
    await peer.hole(UNIT, 'holding', 1, 1);
    const [first, second] = await site.values([A, B]);
    assert.equal(first, 100);
    assert.match(String(second), /exception 2, illegal data address/);
  });

  it('finds the answer behind noise', async () => {
    for (const noise of ['00', 'ffff', '0503', '050304', '0583', '00ff00ff00ff00ff']) {
      await peer.fault({ kind: 'noise', bytes: Buffer.from(noise, 'hex') });
      assert.deepEqual(await site.values([A], { retries: 0 }), [100], noise);
    }
  });

  it('asks again where the answer is damaged, and does not wait for the time-out', async () => {
    const damaged = withCrc(Buffer.from([UNIT, 3, 2, 0, 100]));
    damaged[4] = 99;
    await peer.fault({ kind: 'raw', bytes: damaged });
    const beganMs = performance.now();
    assert.deepEqual(await site.values([A], { timeoutMs: 5000 }), [100]);
    assert.ok(performance.now() - beganMs < 2000);
    await peer.fault({ kind: 'raw', bytes: damaged });
    await assert.rejects(site.read([A], { retries: 0 }), /what came is damaged, or of another unit \(CRC/);
  });

  it('has no unit of this number: no answer, and the others go on', async () => {
    await assert.rejects(site.read([A], { slaveID: 9 }), /unit 9 .*no answer in 10\d ms/);
    // The peer takes what comes next for the answer of unit 9, and finds out with the request after it.
    assert.deepEqual(await site.values([A], { retries: 3 }), [100]);
  });

  it('never takes a late answer for the next one', async () => {
    await peer.fault({ kind: 'delay', ms: 150 });
    await assert.rejects(site.read([A], { retries: 0 }), /no answer/);
    assert.deepEqual(
      await site.values([B]),
      [101],
      'the late answer would fit: same unit, function and length',
    );
    await peer.fault({ kind: 'delay', ms: 130 }, 20);
    for (let at = 0; at < 4; at += 1)
      for (const [one, value] of [
        [A, 100],
        [B, 101],
      ] as const) {
        const results = await site.read([one], { retries: 0 }).catch(() => undefined);
        if (results !== undefined) assert.deepEqual(results, [{ value }]);
      }
  });

  it('does not let other units wait for a late answer', async () => {
    await assert.rejects(site.read([A], { slaveID: 9, timeoutMs: 800, retries: 0 }), /no answer/);
    const beganMs = performance.now();
    assert.deepEqual(await site.values([A], { retries: 3 }), [100]);
    assert.ok(performance.now() - beganMs < 700, 'unit 9 could still answer');
  });

  it('says that the adapter was pulled out', async () => {
    const lost: Error[] = [];
    site.connection.onLost?.((reason) => lost.push(reason));
    await pair.stop();
    await eventually('told', () => lost.length === 1);
    await assert.rejects(site.read([A]), ConnectionLost);
    await assert.rejects(
      Site.open(rtuConfig(pair.ours)),
      (error: Error) => error instanceof ConnectionLost && error.message.includes('ours cannot be opened'),
    );
  });

  it('is one line with one set of settings: who wants others waits until it is free', async () => {
    const other = rtuConfig(pair.ours, { slaveID: UNIT, baudRate: 9600, parity: 'even' });
    await assert.rejects(
      Site.open(other),
      /another device has set up .*ours differently: protocol.configData.baudRate is 9600 here, and 115200 there; protocol.configData.parity is even here, and none there\./,
    );
    assert.deepEqual(await site.values([A]), [100]);
    await site.close();
    const next = await Site.open({ ...other, parity: 'none' });
    assert.deepEqual(await next.values([A], { timeoutMs: 1000 }), [100], 'a pair of files has no speed');
    await next.close();
  });

  it('ends what is under way when it closes', async () => {
    await peer.fault({ kind: 'mute' });
    const ended = assert.rejects(site.read([A], { timeoutMs: 60_000 }), ConnectionLost);
    await eventually('asked', async () => (await peer.requestCount()) === 1);
    await site.close();
    await within('ended', ended);
    await site.close();
  });
});
