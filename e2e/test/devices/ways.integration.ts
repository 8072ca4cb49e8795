import assert from 'node:assert/strict';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { eventually, GivenMosquitto, hasMosquitto, makeTempDir, runMosquitto } from '@hawser/seams/testing';
import { registerDevice, registerModel, reportedValue } from '../../src/devices-site/device-objects.ts';
import { DevicesSite, mapperProgram, writeDefinition } from '../../src/devices-site/devices-site.ts';
import { startNode } from '../../src/index.ts';

const UNIT = 3;
const CYCLE = { collectCycle: 100, reportCycle: 100 };
const PROPERTIES = [
  { name: 'level', offset: 0, ...CYCLE },
  { name: 'speed', offset: 1, writable: true, ...CYCLE },
];

describe('a mapper and its device', function () {
  this.timeout(90_000);
  let peer: ModbusPeer;
  const close: (() => Promise<void>)[] = [];

  before(function () {
    const missing = ModbusPeer.missing() ?? (hasMosquitto() ? undefined : 'mosquitto is not installed');
    if (missing === undefined) return;
    console.log(`    left out: ${missing}`);
    this.skip();
  });
  beforeEach(async () => {
    peer = await ModbusPeer.tcp();
    close.push(() => peer.stop());
    await peer.set(UNIT, 'holding', 0, [1, 0]);
  });
  afterEach(async () => {
    for (const each of close.splice(0).reverse()) await each();
  });

  async function createTank(site: DevicesSite): Promise<void> {
    const at = { node: site.edge.node, model: 'tank', port: peer.port, unit: UNIT };
    await site.create(registerModel('tank', PROPERTIES), registerDevice('tank-1', at, PROPERTIES));
  }

  const register = async (offset: number): Promise<number | undefined> =>
    (await peer.get(UNIT, 'holding', offset, 1))[0];

  it('work where the mapper is a service of its own', async () => {
    const site = await DevicesSite.open({ hub: { heartbeatSeconds: 2 }, mappers: [] });
    close.push(() => site.close());
    await writeDefinition(site.mappersDir, 'modbus', { protocols: ['modbus'] });
    await createTank(site);
    const known = async () => {
      const { bus, items } = await site.edge.admin.mappers();
      return { url: bus?.url, mapper: items.find(({ name }) => name === 'modbus') };
    };
    await eventually(
      'it may come in',
      async () => {
        const { url, mapper } = await known();
        return url !== undefined && mapper !== undefined;
      },
      { deadlineMs: 20_000 },
    );
    const { url = '', mapper } = await known();
    const service = await startNode({
      script: mapperProgram('modbus'),
      args: ['--bus', url, '--name', 'modbus', '--secret-file', mapper?.secretFile ?? ''],
      readyWhen: 'spawned',
    });
    close.push(async () => {
      await service.stop(5_000);
    });
    await site.until('tank-1', (seen) => reportedValue(seen, 'level') === '1');
    await site.setDesired('tank-1', 'speed', '9');
    await eventually('the register has it', async () => (await register(1)) === 9);
    assert.equal((await known()).mapper?.mode, 'external');
  });

  it('work over an external broker, and over its end', async () => {
    const dir = await makeTempDir();
    close.push(() => dir.remove());
    const broker = await GivenMosquitto.start(dir.path);
    close.push(() => broker.stop('SIGKILL'));
    const site = await DevicesSite.open({
      hub: { heartbeatSeconds: 2 },
      edge: { eventBus: { mode: 'external', url: broker.url } },
    });
    close.push(() => site.close());
    await createTank(site);
    await site.until('tank-1', (seen) => reportedValue(seen, 'level') === '1');

    const topic = '$hw/events/device/default/tank-1/twin/get';
    const answer = runMosquitto('mosquitto_sub', broker.url, [
      '-t',
      `${topic}/result`,
      '-C',
      '1',
      '-W',
      '10',
    ]);
    await eventually('the twin is told', async () => {
      await runMosquitto('mosquitto_pub', broker.url, [
        '-t',
        topic,
        '-m',
        '{"event_id":"1","timestamp":1}',
        '-q',
        '1',
      ]);
      const settled = await Promise.race([answer, Promise.resolve(undefined)]);
      return settled !== undefined;
    });
    const [line = ''] = (await answer).lines;
    const { twin } = JSON.parse(line) as { twin: Record<string, { actual?: { value?: string } }> };
    assert.equal(twin['level']?.actual?.value, '1');

    await broker.stop('SIGKILL');
    await peer.set(UNIT, 'holding', 0, [2]);
    await site.setDesired('tank-1', 'speed', '12');
    await eventually('the edge has the setting', async () =>
      (await site.edge.admin.device('default', 'tank-1')).twins.some(
        ({ expected }) => expected?.value === '12',
      ),
    );
    await broker.start();
    await site.until('tank-1', (seen) => reportedValue(seen, 'level') === '2', 40_000);
    await eventually('the register has it', async () => (await register(1)) === 12, { deadlineMs: 40_000 });
  });
});
