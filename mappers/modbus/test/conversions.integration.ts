import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RawType } from '../src/index.ts';
import { ModbusPeer } from '../testing/index.ts';
import { describeUnless, Site, tcpConfig, visit, type ModbusVisit } from './site.ts';

/** Raw values and their bytes, high byte first, as IEEE 754 and two's complement have them. */
const VALUES: readonly (readonly [RawType, string, number | bigint])[] = [
  ['int16', 'ff85', -123],
  ['int16', '8000', -32768],
  ['int16', '7fff', 32767],
  ['uint16', 'ff85', 65413],
  ['uint16', '0001', 1],
  ['int32', 'fffe1dc0', -123456],
  ['int32', '80000000', -2147483648],
  ['uint32', '0001e240', 123456],
  ['uint32', 'ffffffff', 4294967295],
  ['int64', 'fffffffffffe1dc0', -123456],
  ['int64', '8000000000000000', -9223372036854775808n],
  ['uint64', '00000002dfdc1c35', 12345678901],
  ['uint64', 'ffffffffffffffff', 18446744073709551615n],
  ['float', '41460000', 12.375],
  ['float', '3dcccccd', 0.1],
  ['float', 'ff7fffff', -3.4028235e38],
  ['double', '4028c00000000000', 12.375],
  ['double', '3fb999999999999a', 0.1],
];

/** Where the bytes A, B … of a value are, by its registers. */
const ORDERS: readonly {
  readonly isSwap: boolean;
  readonly isRegisterSwap: boolean;
  readonly letters: Readonly<Record<number, string>>;
}[] = [
  { isSwap: false, isRegisterSwap: false, letters: { 1: 'AB', 2: 'ABCD', 4: 'ABCDEFGH' } },
  { isSwap: true, isRegisterSwap: false, letters: { 1: 'BA', 2: 'BADC', 4: 'BADCFEHG' } },
  { isSwap: false, isRegisterSwap: true, letters: { 1: 'AB', 2: 'CDAB', 4: 'GHEFCDAB' } },
  { isSwap: true, isRegisterSwap: true, letters: { 1: 'BA', 2: 'DCBA', 4: 'HGFEDCBA' } },
];

/** Scales, and what a raw value is with them: of powers of ten the decimal with its point moved. */
const SCALES: readonly (readonly [number, (raw: number | bigint) => number])[] = [
  [1, Number],
  [0.1, (raw) => shifted(raw, -1)],
  [0.01, (raw) => shifted(raw, -2)],
  [1e-7, (raw) => shifted(raw, -7)],
  [10, (raw) => shifted(raw, 1)],
  [-0.5, (raw) => Number(raw) * -0.5],
];

function shifted(raw: number | bigint, by: number): number {
  const [digits = '', exponent = '0'] = String(raw).split('e');
  return Number(`${digits}e${Number(exponent) + by}`);
}

function registersOf(hex: string, letters: string): number[] {
  const byteAt = (at: number): number => {
    const from = 2 * 'ABCDEFGH'.indexOf(letters.charAt(at));
    return Number.parseInt(hex.slice(from, from + 2), 16);
  };
  return Array.from({ length: letters.length / 2 }, (_, at) => (byteAt(2 * at) << 8) | byteAt(2 * at + 1));
}

interface Case {
  readonly visit: ModbusVisit;
  readonly registers: readonly number[];
  readonly value: number | bigint;
  readonly exact: boolean;
}

function cases(): Case[] {
  const made: Case[] = [];
  let offset = 0;
  for (const [type, hex, raw] of VALUES)
    for (const { letters, ...order } of ORDERS)
      for (const [scale, valueOf] of SCALES) {
        const registers = registersOf(hex, letters[hex.length / 4] ?? '');
        const whole = !['float', 'double'].includes(type);
        // What a double cannot hold is looked at as INT, without a scale.
        const exact = typeof raw === 'number';
        if (!exact && scale !== 1) continue;
        made.push({
          visit: visit(
            { offset, type, scale, ...order },
            { type: exact ? 'DOUBLE' : 'INT', property: `p${offset}` },
          ),
          registers,
          value: exact ? valueOf(raw) : raw,
          exact: whole || scale === 1,
        });
        offset += registers.length;
      }
  return made;
}

const run = promisify(execFile);

describeUnless(ModbusPeer.missing(), 'conversions', () => {
  let peer: ModbusPeer;
  let site: Site;

  before(async () => {
    peer = await ModbusPeer.tcp();
    site = await Site.open(tcpConfig(peer.port));
  });

  after(async () => {
    await site.close();
    await peer.stop();
  });

  it('reads every type in every byte order and scale from raw registers', async () => {
    const all = cases();
    for (const {
      visit: { visitor },
      registers,
    } of all)
      await peer.set(1, 'holding', visitor.offset, registers);
    await peer.forget();
    const values = await site.values(all.map(({ visit }) => visit));
    for (const [at, { visit, value }] of all.entries())
      assert.equal(values[at], value, JSON.stringify(visit.visitor));
    assert.ok(all.length > 350, `${all.length} cases`);
    const most = Math.ceil(all.reduce((sum, { registers }) => sum + registers.length, 0) / 122);
    assert.ok((await peer.requestCount()) <= most, 'joined');
  });

  it('writes every type in every byte order and scale to raw registers', async () => {
    for (const { visit, registers, value, exact } of cases()) {
      await peer.set(
        1,
        'holding',
        visit.visitor.offset,
        registers.map(() => 0),
      );
      await site.write(visit, value);
      const written = await peer.get(1, 'holding', visit.visitor.offset, registers.length);
      if (exact) assert.deepEqual(written, registers, JSON.stringify(visit.visitor));
      else assert.deepEqual(await site.values([visit]), [value], JSON.stringify(visit.visitor));
    }
  });

  it('agrees with another client of Modbus', async function () {
    const mbpoll = async (format: string, offset: number, more: readonly string[]): Promise<string> => {
      const args = ['-m', 'tcp', '-a', '1', '-0', '-r', `${offset}`, '-t', format, '-p', `${peer.port}`];
      const { stdout } = await run('mbpoll', [...args, '-1', '-q', ...more, '127.0.0.1']);
      return /\]:\s*(\S+)/.exec(stdout)?.[1] ?? stdout;
    };
    try {
      await run('mbpoll', ['-V']);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      console.log('      skipped: mbpoll is needed');
      this.skip();
    }
    const at = 5000;
    await site.write(visit({ offset: at, type: 'int32' }), -123456);
    assert.equal(await mbpoll('4:int', at, ['-B']), '-123456');
    await site.write(visit({ offset: at, type: 'int32', isRegisterSwap: true }), -123456);
    assert.equal(await mbpoll('4:int', at, []), '-123456');
    await site.write(visit({ offset: at, type: 'float' }, { type: 'FLOAT' }), 12.375);
    assert.equal(await mbpoll('4:float', at, ['-B']), '12.375');
    await site.write(visit({ offset: at, type: 'float', isRegisterSwap: true }, { type: 'FLOAT' }), -0.5);
    assert.equal(await mbpoll('4:float', at, []), '-0.5');
    await site.write(visit({ offset: at, scale: 0.1 }, { type: 'FLOAT' }), 12.3);
    assert.equal(await mbpoll('4', at, []), '123');
    await site.write(visit({ register: 'CoilRegister', offset: at }, { type: 'BOOLEAN' }), true);
    assert.equal(await mbpoll('0', at, []), '1');
    await run('mbpoll', [
      '-m',
      'tcp',
      '-0',
      '-r',
      '6000',
      '-t',
      '4:float',
      '-B',
      '-p',
      `${peer.port}`,
      '127.0.0.1',
      '3.25',
    ]);
    assert.deepEqual(await site.values([visit({ offset: 6000, type: 'float' }, { type: 'FLOAT' })]), [3.25]);
  });
});
