import assert from 'node:assert/strict';
import { SchemaChecker, type ConfigData, type PropertyType } from '@hawser/devices';
import { boundDevice } from '@hawser/mapper-sdk/testing';
import { driver, type BluetoothProtocol, type BluetoothVisitor } from '../src/index.ts';
import { readBytes } from '../src/values/data-bytes.ts';
import { fullUuid } from '../src/values/uuid.ts';
import { BATTERY, config, converter, visit } from './site.ts';

const DEVICE = { macAddress: 'A4:C1:38:1A:49:90' };
const PROPERTY = { characteristicUUID: '2a19' };

describe('configuration', () => {
  let checker: SchemaChecker;

  before(async () => {
    checker = await SchemaChecker.load(driver.schemas);
  });

  /** Paths of problems, without what comes before `configData`. */
  function problems(protocol: ConfigData, visitor: ConfigData): string[] {
    const properties = [{ name: 'p', type: 'INT' as PropertyType, visitor }];
    const device = boundDevice({ name: 'd', protocol: 'bluetooth', config: protocol, properties });
    return checker.check(device).problems.map(({ path }) => path.replace(/^.*configData/, ''));
  }

  const ofProtocol = (protocol: ConfigData): string[] => problems(protocol, PROPERTY);
  const ofVisitor = (visitor: ConfigData): string[] => problems(DEVICE, visitor);
  const ofConverter = (more: ConfigData): string[] => ofVisitor({ ...PROPERTY, dataConverter: more });

  it('fills in what is not said', () => {
    const properties = [{ name: 'p', visitor: { ...PROPERTY, dataConverter: { endIndex: 1 } } }];
    const { device } = checker.check(
      boundDevice({ name: 'd', protocol: 'bluetooth', config: DEVICE, properties }),
    );
    assert.deepEqual(device?.config, {
      ...DEVICE,
      adapter: 'hci0',
      connectTimeoutMs: 15_000,
      scanTimeoutMs: 10_000,
      pairing: 'none',
    });
    assert.deepEqual(device.properties[0]?.visitor, {
      ...PROPERTY,
      notify: false,
      dataConverter: converter({ endIndex: 1 }),
    });
    assert.deepEqual(
      driver.check?.(device.config as unknown as BluetoothProtocol, []),
      [],
      'times that nobody set fit',
    );
  });

  it('takes what KubeEdge documents', () => {
    const dataConverter = {
      startIndex: 1,
      endIndex: 0,
      shiftRight: 2,
      orderOfOperations: [{ operationType: 'Multiply', operationValue: 0.03125 }],
    };
    assert.deepEqual(
      problems(DEVICE, { characteristicUUID: 'f000aa0104514000b000000000000000', dataConverter }),
      [],
    );
    const dataWrite = { ON: 'AQ==', OFF: 'AA==' };
    assert.deepEqual(ofVisitor({ characteristicUUID: 'f000aa6504514000b000000000000000', dataWrite }), []);
  });

  it('wants to know which device it is', () => {
    assert.equal(ofProtocol({}).length, 1);
    for (const some of [DEVICE, { name: 'Boiler' }, { serviceUUID: '1809' }, { ...DEVICE, name: 'Boiler' }])
      assert.deepEqual(ofProtocol(some), []);
  });

  it('refuses what it does not know, and values out of range', () => {
    assert.equal(ofProtocol({ ...DEVICE, adress: 1 }).length, 1);
    assert.equal(ofVisitor({ ...PROPERTY, dataconverter: {} }).length, 1);
    for (const [key, value] of [
      ['macAddress', 'A4:C1:38:1A:49'],
      ['macAddress', 'A4C1381A4990'],
      ['name', ''],
      ['serviceUUID', '180'],
      ['adapter', 'usb0'],
      ['connectTimeoutMs', 50],
      ['connectTimeoutMs', 25_001],
      ['scanTimeoutMs', '10s'],
      ['pairing', 'passkey'],
    ] as const)
      assert.deepEqual(ofProtocol({ ...DEVICE, [key]: value }), [`/${key}`], `${key} ${value}`);
    assert.deepEqual(ofVisitor({}), ['/characteristicUUID']);
    for (const uuid of ['2a1', '2a191', 'f000aa01-0451-4000-b000', '0x2a19', 'g000'])
      assert.deepEqual(ofVisitor({ characteristicUUID: uuid }), ['/characteristicUUID'], uuid);
    for (const uuid of ['2a19', '2A19', '00002a19', BATTERY, BATTERY.replaceAll('-', '')])
      assert.deepEqual(ofVisitor({ characteristicUUID: uuid }), [], uuid);
    assert.deepEqual(ofVisitor({ ...PROPERTY, dataWrite: { On: '' } }), ['/dataWrite/On']);
    assert.deepEqual(ofVisitor({ ...PROPERTY, dataWrite: { On: [256] } }), ['/dataWrite/On/0']);
    assert.deepEqual(ofVisitor({ ...PROPERTY, dataWrite: {} }), ['/dataWrite']);
    assert.deepEqual(ofConverter({ startIndex: -1 }), ['/dataConverter/startIndex']);
    assert.deepEqual(ofConverter({ shiftLeft: 64 }), ['/dataConverter/shiftLeft']);
    const at = '/dataConverter/orderOfOperations/0';
    const operations = (operation: ConfigData): string[] => ofConverter({ orderOfOperations: [operation] });
    assert.deepEqual(operations({ operationType: 'Divide', operationValue: 0 }), [`${at}/operationValue`]);
    assert.deepEqual(operations({ operationType: 'Power', operationValue: 2 }), [`${at}/operationType`]);
    assert.deepEqual(operations({ operationType: 'Add' }), [`${at}/operationValue`]);
  });

  /** Paths that the driver itself objects to. */
  function checked(
    visitor: Partial<BluetoothVisitor>,
    type: PropertyType = 'INT',
    writable = false,
  ): string[] {
    const found = driver.check?.(config({}), [visit(visitor, { type, writable, property: 'p' })]) ?? [];
    for (const { property, remedy } of found) assert.ok(property === 'p' && remedy !== undefined);
    return found.map(({ path }) => path);
  }

  it('says what no schema can: types of properties, widths, what can be written', () => {
    const multiplied = converter({ orderOfOperations: [{ operationType: 'Multiply', operationValue: 0 }] });
    assert.deepEqual(checked({}), []);
    assert.deepEqual(checked({}, 'STREAM'), ['']);
    assert.deepEqual(checked({}, 'INT', true), ['/dataConverter']);
    assert.deepEqual(checked({ dataConverter: converter() }, 'INT', true), []);
    assert.deepEqual(checked({ dataWrite: { '1': '01' } }, 'INT', true), []);
    assert.deepEqual(checked({ dataConverter: converter({ startIndex: 8 }) }), ['/dataConverter/endIndex']);
    assert.deepEqual(checked({ dataConverter: converter({ startIndex: 20, endIndex: 13 }) }), []);
    assert.deepEqual(checked({ dataConverter: converter({ shiftLeft: 1, shiftRight: 1 }) }), [
      '/dataConverter/shiftRight',
    ]);
    assert.deepEqual(checked({ dataConverter: converter({ shiftRight: 8 }) }), ['/dataConverter/shiftRight']);
    assert.deepEqual(checked({ dataConverter: converter({ signed: true }) }, 'STRING'), [
      '/dataConverter/signed',
    ]);
    assert.deepEqual(checked({ dataConverter: converter() }, 'STRING'), []);
    assert.deepEqual(checked({ dataConverter: converter() }, 'BYTES', true), ['/dataConverter']);
    assert.deepEqual(checked({ dataConverter: multiplied }, 'INT', true), [
      '/dataConverter/orderOfOperations/0/operationValue',
    ]);
    assert.deepEqual(checked({ dataConverter: multiplied }, 'INT'), []);
    assert.deepEqual(checked({ dataWrite: { Red: '01' } }, 'INT'), ['/dataWrite/Red']);
    assert.deepEqual(checked({ dataWrite: { 'a/b': 'zz' } }, 'STRING'), ['/dataWrite/a~1b']);
    assert.deepEqual(checked({ dataWrite: { on: '01', true: '02' } }, 'BOOLEAN'), ['/dataWrite/true']);
    assert.deepEqual(checked({ dataWrite: { AQ: '01' } }, 'BYTES'), ['/dataWrite/AQ']);
  });

  it('fits looking for a device and connecting it into one attempt', () => {
    const check = (scanTimeoutMs: number, connectTimeoutMs: number): string[] =>
      (driver.check?.(config({ scanTimeoutMs, connectTimeoutMs }), []) ?? []).map(({ path }) => path);
    assert.deepEqual(check(8_000, 20_000), []);
    assert.deepEqual(check(8_001, 20_000), ['/scanTimeoutMs']);
  });

  it('never guesses what bytes a text means', () => {
    const hex = (given: string | readonly number[]): string | undefined => {
      const read = readBytes(given);
      return 'bytes' in read ? read.bytes.toString('hex') : undefined;
    };
    assert.equal(hex('01'), '01');
    assert.equal(hex('0x01FF'), '01ff');
    assert.equal(hex('01 ff 02 03'), '01ff0203');
    assert.equal(hex('010203'), '010203');
    assert.equal(hex('AQ=='), '01');
    assert.equal(hex('AQID'), '010203');
    assert.equal(hex([1, 255]), '01ff');
    for (const both of ['0102', 'ABCD', '01020304']) {
      assert.equal(hex(both), undefined, both);
      const read = readBytes(both);
      assert.ok('remedy' in read && read.remedy.includes(`0x${both}`));
    }
    for (const none of ['', '0x', '0x1', 'xyz', '1', 'AQ=', '0102030'])
      assert.equal(hex(none), undefined, none);
  });

  it('knows every form of a UUID', () => {
    for (const text of ['2a19', '2A19', '00002a19', BATTERY, BATTERY.toUpperCase().replaceAll('-', '')])
      assert.equal(fullUuid(text), BATTERY);
  });

  it('joins Devices of one device', () => {
    const key = (more: Parameters<typeof config>[0]): string | undefined =>
      driver.connectionOf?.(config(more));
    assert.equal(key(DEVICE), key({ macAddress: DEVICE.macAddress.toLowerCase(), scanTimeoutMs: 200 }));
    assert.notEqual(key(DEVICE), key({ ...DEVICE, adapter: 'hci1' }));
    assert.notEqual(key(DEVICE), key({ macAddress: 'A4:C1:38:1A:49:91' }));
    assert.notEqual(key({ name: 'a' }), key({ name: 'b' }));
  });
});
