import assert from 'node:assert/strict';
import { SchemaChecker, type ConfigData, type PropertyType } from '@hawser/devices';
import { boundDevice } from '@hawser/mapper-sdk/testing';
import { driver, type ModbusProtocol, type ModbusVisitor } from '../src/index.ts';
import { visit } from './site.ts';

const TCP = { ip: '10.0.0.7' };
const HOLDING = { register: 'HoldingRegister', offset: 0 };

describe('configuration', () => {
  let checker: SchemaChecker;

  before(async () => {
    checker = await SchemaChecker.load(driver.schemas);
  });

  /** Paths of problems, without what comes before `configData`. */
  function problems(config: ConfigData, visitor: ConfigData): string[] {
    const properties = [{ name: 'p', type: 'INT' as PropertyType, visitor }];
    const verdict = checker.check(boundDevice({ name: 'd', protocol: 'modbus', config, properties }));
    return verdict.problems.map(({ path }) => path.replace(/^.*configData/, ''));
  }

  const ofProtocol = (config: ConfigData): string[] => problems(config, HOLDING);
  const ofVisitor = (visitor: ConfigData): string[] => problems(TCP, visitor);

  it('fills in what is not said', () => {
    const properties = [{ name: 'p', type: 'INT' as PropertyType, visitor: HOLDING }];
    const { device } = checker.check(boundDevice({ name: 'd', protocol: 'modbus', config: TCP, properties }));
    assert.deepEqual(device?.config, {
      ip: '10.0.0.7',
      commType: 'tcp',
      port: 502,
      baudRate: 9600,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      timeoutMs: 1000,
      retries: 1,
      delayMs: 0,
      maxGap: 8,
      writeMultiple: false,
      maskWrite: false,
    });
    assert.deepEqual(device.properties[0]?.visitor, {
      ...HOLDING,
      scale: 1,
      isSwap: false,
      isRegisterSwap: false,
      bitCount: 1,
    });
  });

  it('takes what KubeEdge documents', () => {
    const coil = {
      register: 'CoilRegister',
      offset: 2,
      limit: 1,
      scale: 1,
      isSwap: true,
      isRegisterSwap: true,
    };
    assert.deepEqual(
      problems({ ip: '172.17.0.3', port: 1502 }, { ...coil, register: 'HoldingRegister' }),
      [],
    );
    const line = { serialPort: '/dev/ttyS0', baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 };
    assert.deepEqual(problems({ commType: 'rtu', ...line, slaveID: 1 }, coil), []);
  });

  it('wants what each way of communication needs', () => {
    assert.deepEqual(ofProtocol({}), ['/ip']);
    assert.deepEqual(ofProtocol({ commType: 'rtu', ip: '10.0.0.7' }), ['/serialPort', '/slaveID']);
    assert.deepEqual(ofProtocol({ commType: 'rtu', serialPort: '/dev/ttyUSB0' }), ['/slaveID']);
    assert.deepEqual(ofProtocol({ commType: 'rtu', serialPort: '/dev/ttyUSB0', slaveID: 247 }), []);
    assert.deepEqual(ofProtocol({ commType: 'rtu', serialPort: 'COM1', slaveID: 1 }), ['/serialPort']);
    assert.deepEqual(ofProtocol({ commType: 'udp', ip: '10.0.0.7' }), ['/commType']);
  });

  it('knows which units there are', () => {
    for (const slaveID of [0, 1, 247, 255])
      assert.deepEqual(ofProtocol({ ...TCP, slaveID }), [], `${slaveID}`);
    for (const slaveID of [-1, 248, 254, 256, 1.5, '1'])
      assert.ok(ofProtocol({ ...TCP, slaveID }).includes('/slaveID'), `${slaveID}`);
    for (const slaveID of [0, 248, 255])
      assert.ok(
        ofProtocol({ commType: 'rtu', serialPort: '/dev/tty', slaveID }).includes('/slaveID'),
        `${slaveID}`,
      );
  });

  it('refuses what it does not know, and values out of range', () => {
    assert.deepEqual(ofProtocol({ ...TCP, adress: 1 }).length, 1);
    assert.deepEqual(ofVisitor({ ...HOLDING, isswap: true }).length, 1);
    for (const [key, value] of [
      ['port', 0],
      ['port', 65536],
      ['port', '502'],
      ['baudRate', 0],
      ['dataBits', 7],
      ['parity', 'E'],
      ['stopBits', 3],
      ['timeoutMs', 0],
      ['retries', 11],
      ['delayMs', -1],
      ['maxGap', 125],
      ['writeMultiple', 'yes'],
    ] as const)
      assert.deepEqual(ofProtocol({ ...TCP, [key]: value }), [`/${key}`], `${key} ${value}`);
  });

  it('fits the limit to the type', () => {
    for (const [type, count] of [
      ['int16', 1],
      ['uint16', 1],
      ['int32', 2],
      ['uint32', 2],
      ['float', 2],
      ['int64', 4],
      ['uint64', 4],
      ['double', 4],
    ] as const) {
      assert.deepEqual(ofVisitor({ ...HOLDING, type }), []);
      assert.deepEqual(ofVisitor({ ...HOLDING, type, limit: count }), []);
      assert.deepEqual(ofVisitor({ ...HOLDING, type, limit: count + 1 }), ['/limit'], type);
      assert.deepEqual(ofVisitor({ ...HOLDING, type, offset: 65536 - count }), [], type);
      if (count > 1)
        assert.deepEqual(ofVisitor({ ...HOLDING, type, offset: 65537 - count }), ['/offset'], type);
      assert.deepEqual(ofVisitor({ ...HOLDING, type, bit: 3 }), ['/bit'], type);
    }
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'string' }), ['/limit'], 'a limit is needed');
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'string', limit: 125 }), []);
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'bytes', limit: 126 }), ['/limit']);
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'string', limit: 2, scale: 2 }), ['/scale']);
    assert.deepEqual(ofVisitor({ ...HOLDING, scale: 0 }), ['/scale']);
    assert.deepEqual(ofVisitor({ ...HOLDING, limit: 0 }), ['/limit']);
    assert.deepEqual(ofVisitor({ ...HOLDING, offset: 65536 }), ['/offset']);
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'bit' }), ['/bit'], 'which bit?');
    assert.deepEqual(ofVisitor({ ...HOLDING, type: 'bit', bit: 16 }), ['/bit']);
    assert.deepEqual(ofVisitor({ register: 'CoilRegister', offset: 0, limit: 2000 }), []);
    assert.deepEqual(ofVisitor({ register: 'CoilRegister', offset: 0, limit: 2001 }), ['/limit']);
    assert.deepEqual(ofVisitor({ register: 'CoilRegister', offset: 0, type: 'float' }), ['/type']);
    assert.deepEqual(ofVisitor({ register: 'CoilRegister', offset: 0, bit: 1 }), ['/bit']);
    assert.deepEqual(ofVisitor({ register: 'Coils', offset: 0 }), ['/register']);
  });

  /** Paths that the driver itself objects to. */
  function checked(
    visitor: Partial<ModbusVisitor>,
    type: PropertyType = 'INT',
    writable = false,
  ): (string | undefined)[] {
    const found =
      driver.check?.({} as ModbusProtocol, [visit(visitor, { type, writable, property: 'p' })]) ?? [];
    for (const { property, remedy } of found) assert.ok(property === 'p' && remedy !== undefined);
    return found.map(({ path }) => path);
  }

  it('says what no schema can: types of properties, the end of the addresses, what can be written', () => {
    assert.deepEqual(checked({}), []);
    assert.deepEqual(checked({ type: 'float' }, 'BOOLEAN'), ['/type']);
    assert.deepEqual(checked({ type: 'string', limit: 4 }, 'INT'), ['/type']);
    assert.deepEqual(checked({ type: 'uint16' }, 'STRING'), ['/type']);
    assert.deepEqual(checked({ limit: 3 }, 'INT'), ['/limit']);
    assert.deepEqual(checked({ limit: 3 }, 'FLOAT'), ['/limit']);
    assert.deepEqual(checked({ limit: 3 }, 'BYTES'), []);
    assert.deepEqual(checked({}, 'STREAM'), ['/register']);
    assert.deepEqual(checked({ register: 'CoilRegister' }, 'STREAM'), ['/register']);
    assert.deepEqual(checked({ scale: 0.1 }, 'BOOLEAN'), ['/scale']);
    assert.deepEqual(checked({ register: 'CoilRegister', limit: 65 }), ['/limit']);
    assert.deepEqual(checked({ register: 'CoilRegister', limit: 2 }, 'BOOLEAN'), ['/limit']);
    assert.deepEqual(checked({ register: 'CoilRegister' }, 'STRING'), ['/limit']);
    assert.deepEqual(checked({ offset: 65534, limit: 3 }, 'BYTES'), ['/offset']);
    assert.deepEqual(checked({ offset: 65533, limit: 3 }, 'BYTES'), []);
    assert.deepEqual(checked({ type: 'bit', bit: 14, bitCount: 3 }), ['/bitCount']);
    assert.deepEqual(checked({ type: 'bit', bit: 13, bitCount: 3 }), []);
    for (const register of ['InputRegister', 'DiscreteInputRegister'] as const) {
      assert.deepEqual(checked({ register }, 'INT', true), ['/register']);
      assert.deepEqual(checked({ register }, 'INT', false), []);
    }
    assert.deepEqual(checked({ limit: 124 }, 'BYTES', true), ['/limit']);
    assert.deepEqual(checked({ limit: 124 }, 'BYTES', false), []);
    assert.deepEqual(checked({ register: 'CoilRegister', limit: 1969 }, 'BYTES', true), ['/limit']);
    assert.deepEqual(checked({ register: 'CoilRegister', limit: 1968 }, 'BYTES', true), []);
  });

  it('joins devices of one address and of one line', () => {
    const text = (config: Partial<ModbusProtocol>): string | undefined =>
      driver.connectionOf?.({ commType: 'tcp', port: 502, ...config } as ModbusProtocol);
    assert.equal(text({ ip: 'PLC.local', slaveID: 1 }), text({ ip: 'plc.local', slaveID: 2 }));
    assert.notEqual(text({ ip: 'plc.local' }), text({ ip: 'plc.local', port: 503 }));
    const line = { commType: 'rtu', serialPort: '/dev/ttyUSB0' } as const;
    assert.equal(text({ ...line, slaveID: 1 }), text({ ...line, slaveID: 2 }));
    assert.notEqual(text(line), text({ ...line, baudRate: 19200 }), 'cannot be one: see SerialLines');
    assert.notEqual(text(line), text({ ...line, serialPort: '/dev/ttyUSB1' }));
  });

  it('gives one call time for all its tries', () => {
    const limit = (config: Partial<ModbusProtocol>): number =>
      driver.timeoutMs?.({
        commType: 'tcp',
        timeoutMs: 1000,
        retries: 1,
        delayMs: 0,
        baudRate: 9600,
        ...config,
      } as ModbusProtocol) ?? 0;
    assert.equal(limit({}), 10_000);
    assert.ok(limit({ timeoutMs: 20_000, retries: 2 }) >= 60_000);
    assert.equal(limit({ commType: 'rtu', baudRate: 1200 }), 80_000);
    assert.equal(limit({ delayMs: 100 }), 11_600);
  });
});
