import assert from 'node:assert/strict';
import type { BusAccount } from '../../src/event-bus/bus-account.ts';
import { TopicRights } from '../../src/event-bus/topic-rights.ts';
import { ACCOUNTS, DEVICES } from './given-bus.ts';

const rights = new TopicRights('edge-1', {
  protocolOf: (namespace, name) => DEVICES[`${namespace}/${name}`],
  protocolsNamed: (name) => (name === 'pump' ? ['modbus'] : []),
});
const account = (name: string): BusAccount => {
  const found = ACCOUNTS.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const PUMP = '$hw/events/device/factory/pump';
const THERMO = '$hw/events/device/factory/thermo';

describe('rights on topics', () => {
  const publish: Readonly<Record<string, readonly [topic: string, may: boolean][]>> = {
    modbus: [
      [`${PUMP}/twin/update`, true],
      [`${PUMP}/twin/get`, true],
      [`${PUMP}/state/update`, true],
      [`${PUMP}/twin/update/result`, false],
      [`${PUMP}/twin/update/delta`, false],
      [`${PUMP}/twin/update/document`, false],
      [PUMP, false],
      [`${THERMO}/twin/update`, false],
      ['$hw/events/device/factory/nobody/twin/update', false],
      ['$hw/events/device/other/pump/twin/update', false],
      ['$hw/events/mapper/modbus/hello', true],
      ['$hw/events/mapper/modbus/heartbeat', true],
      ['$hw/events/mapper/modbus/settled/factory/pump', true],
      ['$hw/events/mapper/modbus/refused/factory/pump', true],
      ['$hw/events/mapper/modbus/command-result/factory/pump', true],
      ['$hw/events/mapper/modbus/devices/factory/pump', false],
      ['$hw/events/mapper/modbus/desired/factory/pump', false],
      ['$hw/events/mapper/modbus/command/factory/pump', false],
      ['$hw/events/mapper/bluetooth/hello', false],
      ['$hw/events/node/edge-1/membership/get', true],
      ['$hw/events/node/edge-1/membership/get/result', false],
      ['$hw/events/node/edge-1/membership/updated', false],
      ['$hw/events/node/edge-2/membership/get', false],
      ['$hw/events/upload/photo', true],
      ['SYS/dis/upload_records', true],
      ['$ke/events/device/pump/data/update', true],
      ['$ke/events/device/thermo/data/update', false],
      ['$SYS/broker/clients', false],
      ['app/1', false],
    ],
    app: [
      ['app/1', true],
      ['shared/1', true],
      ['shared/1/2', false],
      [`${PUMP}/twin/update`, false],
      ['$hw/events/upload/photo', false],
      ['$hw/events/mapper/modbus/hello', false],
    ],
    all: [
      ['anything', true],
      ['$SYS/x', false],
      [`${PUMP}/twin/update`, false], // `#` matches nothing with `$`
    ],
  };
  for (const [name, cases] of Object.entries(publish)) {
    it(`of ${name}, to publish`, () => {
      for (const [topic, may] of cases) assert.equal(rights.mayPublish(account(name), topic), may, topic);
    });
  }

  it('never reach other mappers, what the edge core says, or $SYS, whatever a definition allows', () => {
    const wide: BusAccount = {
      ...account('modbus'),
      topics: { publish: ['$hw/#', '$SYS/#', '#'], subscribe: ['$hw/#', '$SYS/#', '#'] },
    };
    assert.equal(rights.mayPublish(wide, `${THERMO}/twin/update`), true);
    for (const topic of [
      '$hw/events/mapper/bluetooth/hello',
      `${THERMO}/twin/update/delta`,
      '$hw/events/node/edge-1/membership/updated',
      '$SYS/x',
    ]) {
      assert.equal(rights.mayPublish(wide, topic), false, topic);
    }
    assert.equal(rights.maySubscribe(wide, '$hw/#'), true);
    assert.equal(rights.maySubscribe(wide, '$hw/events/mapper/bluetooth/#'), false);
    assert.equal(rights.maySubscribe(wide, '$hw/events/mapper/+/hello'), false);
    assert.equal(rights.maySubscribe(wide, '$SYS/#'), false);
    const hears = (topic: string): boolean => rights.mayHear(wide, topic.split('/'));
    assert.equal(hears(`${THERMO}/twin/update/document`), true);
    assert.equal(hears('$hw/events/mapper/bluetooth/desired/factory/thermo'), false);
    assert.equal(hears('$hw/events/mapper/modbus/desired/factory/pump'), true);
    assert.equal(hears('$SYS/broker'), false);
  });

  it('to subscribe: one’s own, and filters over devices', () => {
    const modbus = account('modbus');
    const cases: readonly (readonly [string, boolean])[] = [
      ['$hw/events/mapper/modbus/#', true],
      ['$hw/events/mapper/bluetooth/#', false],
      ['$hw/events/mapper/+/hello', false],
      ['$hw/events/mapper/#', false],
      ['$hw/events/device/+/+/twin/update/delta', true],
      ['$hw/events/device/factory/pump/#', true],
      ['$hw/events/device/factory/later/#', true],
      ['$hw/events/device/factory/thermo/#', false],
      ['$hw/events/device/#', false],
      ['$hw/#', false],
      ['#', false],
      ['+/events/#', false],
      ['$hw/events/node/edge-1/membership/updated', true],
      ['$hw/events/node/+/membership/updated', false],
      ['$ke/events/device/+/data/update', true],
      ['$ke/events/device/pump/data/update', true],
      ['$SYS/#', false],
    ];
    for (const [filter, may] of cases) assert.equal(rights.maySubscribe(modbus, filter), may, filter);
    assert.equal(rights.maySubscribe(account('app'), '$hw/events/device/+/+/#'), true); // its definition says so
    assert.equal(rights.maySubscribe(account('slow'), '$hw/events/device/+/+/#'), false);
  });

  it('to hear: what is about one’s own devices', () => {
    const hears = (name: string, topic: string): boolean => rights.mayHear(account(name), topic.split('/'));
    assert.equal(hears('modbus', `${PUMP}/twin/update/delta`), true);
    assert.equal(hears('modbus', `${THERMO}/twin/update/delta`), false);
    assert.equal(hears('modbus', '$ke/events/device/pump/data/update'), true);
    assert.equal(hears('modbus', '$ke/events/device/thermo/data/update'), false);
    assert.equal(hears('modbus', '$hw/events/upload/photo'), false);
    assert.equal(hears('app', `${THERMO}/twin/update/delta`), true);
    assert.equal(hears('app', '$hw/events/mapper/modbus/hello'), false);
  });
});
