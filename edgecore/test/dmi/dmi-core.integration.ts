import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { UpstreamBodies } from '@hawser/sync';
import { eventually } from '@hawser/seams/testing';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { EdgeSite } from '../../testing/index.ts';
import type { Plain } from './dmi-proto.ts';
import { callEdge, FakeMapper, registration } from './fake-mapper.ts';

describe('DMI in an edge core', function () {
  this.timeout(30_000);
  let site: EdgeSite;
  let mapper: FakeMapper;
  let socket: string;

  beforeEach(async () => {
    site = await EdgeSite.open();
    socket = path.join(site.dir, 'dmi.sock');
    mapper = new FakeMapper(path.join(site.dir, 'mapper.sock'));
    await mapper.start();
    await mkdir(path.join(site.dir, 'mappers.d'));
  });
  afterEach(async () => {
    mapper.stop();
    await site.close();
  });

  const connect = (): Promise<unknown> =>
    site.connect({
      dmi: { socket },
      mappers: { dir: path.join(site.dir, 'mappers.d') },
      eventBus: { listen: '127.0.0.1:0' },
    });
  const reports = (): readonly UpstreamBodies['device'][] =>
    site.hub.bodies('device') as UpstreamBodies['device'][];

  it('is there before the first device; what the mapper says comes to the cloud, what the cloud wants to the mapper', async () => {
    await connect();
    await eventually('it is open', () =>
      callEdge(socket, 'MapperRegister', registration(mapper.address)).then(
        () => true,
        () => false,
      ),
    );
    site.hub.put('devicemodels.devices.kubeedge.io', makeModel('model', [{ name: 'a' }]));
    const properties = [{ name: 'a', desired: { value: '5', metadata: { type: 'int' } } }];
    site.hub.put('devices.devices.kubeedge.io', makeDevice('d', { properties }));
    await eventually('the mapper has it', () => mapper.log.includes('RegisterDevice d'));
    await callEdge(socket, 'ReportDeviceStates', {
      deviceName: 'd',
      deviceNamespace: 'default',
      state: 'ok',
    });
    const twins = [{ propertyName: 'a', observedDesired: { value: '5' }, reported: { value: '5' } }];
    await callEdge(socket, 'ReportDeviceStatus', {
      ...{ deviceName: 'd', deviceNamespace: 'default', reportedDevice: { twins } },
    });
    await eventually('the cloud hears of it', () => {
      const last = reports().at(-1);
      return last?.state === 'ok' && last.twins[0]?.reported?.value === '5' && last.served?.status === 'True';
    });
    const other = [{ name: 'a', desired: { value: '6', metadata: { type: 'int' } } }];
    site.hub.put('devices.devices.kubeedge.io', makeDevice('d', { properties: other }));
    const desired = (): unknown => {
      const device = mapper.asked.findLast(({ method }) => method === 'UpdateDevice')?.request['device'] as
        { spec: { properties: { desired: Plain }[] } } | undefined;
      return device?.spec.properties[0]?.desired['value'];
    };
    await eventually('the mapper is told', () => desired() === '6');
    const metrics = await site.admin.metrics();
    assert.match(metrics, /hawser_edge_dmi_mappers\{state="registered"\} 1/);
    assert.match(metrics, /hawser_edge_dmi_calls_total\{outcome="taken"\} 3/);
  });

  it('refuses a protocol of a mapper that has a definition', async () => {
    await writeFile(path.join(site.dir, 'mappers.d', 'mine.yaml'), 'protocols: [virtual]\n');
    await connect();
    const register = (): Promise<Plain> => callEdge(socket, 'MapperRegister', registration(mapper.address));
    let message = '';
    await eventually('it is refused', async () => {
      message = await register().then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
      return message.startsWith('6 ALREADY_EXISTS');
    });
    assert.match(message, /the mapper mine on the event bus serves virtual/);
  });

  it('says where its socket cannot be opened, and goes on without it', async () => {
    await writeFile(socket, 'not a socket');
    await connect();
    await eventually('it is a problem', () =>
      site.core.status().problems.some((problem) => JSON.stringify(problem).includes('ERR_EDGECORE_DMI')),
    );
  });
});
