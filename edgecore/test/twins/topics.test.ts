import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import type { UpstreamBodies } from '@hawser/sync';
import { makeDevice, makeModel, type MadeDeviceProperty } from '../../testing/device-maker.ts';
import { MemoryEventBus } from '../../testing/memory-event-bus.ts';
import { TwinSite } from '../../testing/twin-site.ts';
import { MapperTopics } from '../../src/twins/mapper-topics.ts';
import { TwinTopics } from '../../src/twins/twin-topics.ts';
import { UPLOAD_BYTES_MAX, UploadTopics } from '../../src/twins/upload-topics.ts';

const MODEL = makeModel('model', [{ name: 'a' }, { name: 'b', accessMode: 'ReadOnly' }]);
const D = '$hw/events/device/default/d';
const N = '$hw/events/node/edge-1/membership';
const M = '$hw/events/mapper/virtual';
const MAPPER = { name: 'virtual', protocols: new Set(['virtual']) };
const OTHER = { name: 'other', protocols: new Set(['modbus']) };
const APPLICATION = { name: 'app', protocols: new Set<string>() };

function device(name = 'd', ...properties: readonly MadeDeviceProperty[]): Record<string, unknown> {
  return makeDevice(name, {
    properties: properties.length === 0 ? [{ name: 'a' }, { name: 'b' }] : properties,
  });
}

describe('Topics of the event bus', () => {
  let site: TwinSite;
  let bus: MemoryEventBus;
  let endings: (() => void)[] = [];

  async function begin(...objects: readonly Record<string, unknown>[]): Promise<void> {
    site = new TwinSite();
    bus = new MemoryEventBus();
    await site.start(MODEL, ...(objects.length === 0 ? [device()] : objects));
  }

  function twinTopics(): TwinTopics {
    const { twins, directory, clock } = site;
    const topics = new TwinTopics({ bus, twins, directory, clock, node: 'edge-1', log: silentLogger });
    topics.start();
    endings.push(() => topics.stop());
    return topics;
  }

  function mapperTopics(onHeartbeat: (client: string) => void = () => {}): MapperTopics {
    const { twins, directory, clock } = site;
    const mayLack = (): boolean => site.mayLack;
    const topics = new MapperTopics({
      bus,
      twins,
      directory,
      mayLack,
      onHeartbeat,
      clock,
      log: silentLogger,
    });
    topics.start();
    endings.push(() => topics.stop());
    return topics;
  }

  const base = { event_id: 'e1', timestamp: 5 };
  const stamp = (): number => site.clock.wallMs();

  afterEach(async () => {
    for (const end of endings) end();
    endings = [];
    await site.twins.stop();
    await site.directory.stop();
  });

  describe('that KubeEdge has', () => {
    it('take values and states of the device, and answer', async () => {
      await begin();
      twinTopics();
      const twin = { a: { actual: { value: 7, metadata: { timestamp: 1234 } } } };
      await bus.say(`${D}/twin/update`, { ...base, twin }, MAPPER);
      const metadata = { type: 'int' };
      const actual = { value: '7', metadata: { timestamp: 1234 } };
      assert.deepEqual(bus.said(`${D}/twin/update/result`), [
        { event_id: 'e1', timestamp: stamp(), twin: { a: { actual, optional: false, metadata } } },
      ]);
      await bus.say(`${D}/state/update`, { ...base, state: 'online' }, MAPPER);
      assert.deepEqual(bus.said(`${D}/state/update/result`), [
        { event_id: 'e1', timestamp: stamp(), state: 'online' },
      ]);
      const view = site.twins.view('default', 'd');
      assert.deepEqual([view?.state, view?.twins[0]?.reported], ['online', { value: '7', atMs: 1234 }]);
      await bus.say(`${D}/twin/get`, '');
      const [got] = bus.said(`${D}/twin/get/result`) as { twin: object }[];
      assert.deepEqual(got?.twin, {
        a: { actual, optional: false, metadata },
        b: { optional: false, metadata },
      });
    });

    it('take settings of whoever the broker lets say them', async () => {
      await begin();
      twinTopics();
      await bus.say(`${D}/twin/update`, { ...base, twin: { a: { expected: { value: '9' } } } }, APPLICATION);
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.expected?.value, '9');
      const [result] = bus.said(`${D}/twin/update/result`) as { twin: { a: { expected: object } } }[];
      assert.deepEqual(result?.twin.a.expected, { value: '9' });
    });

    it('say why something was not taken', async () => {
      await begin();
      const topics = twinTopics();
      const update = async (twin: object, name = 'd', client = MAPPER): Promise<unknown> => {
        const topic = `$hw/events/device/default/${name}/twin/update`;
        await bus.say(topic, { ...base, twin }, client);
        const { code, reason, event_id: id } = bus.said(`${topic}/result`).at(-1) as Record<string, unknown>;
        assert.equal(id, 'e1');
        return `${String(code)} ${String(reason)}`;
      };
      const actual = { actual: { value: 'x' } };
      assert.equal(await update({ a: actual }, 'none'), '404 there is no device default/none at this node');
      assert.match(
        String(await update({ a: actual, c: actual })),
        /^422 a must be a whole number.*; .*no property c$/,
      );
      assert.match(String(await update({ b: { expected: { value: '1' } } })), /^403 b is ReadOnly/);
      assert.match(
        String(await update({ a: { expected: { value: 'x' } } })),
        /^422 a must be a whole number/,
      );
      assert.match(
        String(await update({ a: { actual: { value: '1' } } }, 'd', OTHER)),
        /^403 default\/d is of the protocol virtual/,
      );
      assert.equal(topics.counters.forbidden, 1);
      await bus.say(`${D}/twin/update`, '{', MAPPER);
      const failed = bus.said(`${D}/twin/update/result`).at(-1) as { code: number };
      assert.equal(failed.code, 400);
      await bus.say(`${D}/state/update`, { ...base, state: 'happy' }, MAPPER);
      assert.equal((bus.said(`${D}/state/update/result`).at(-1) as { code: number }).code, 400);
      await bus.say(`${D}/state/update`, { ...base, state: 'ok' }, OTHER);
      assert.equal((bus.said(`${D}/state/update/result`).at(-1) as { code: number }).code, 403);
      assert.equal(site.twins.view('default', 'd')?.state, 'unknown');
      assert.ok(topics.counters.malformed >= 2);
    });

    it('tell each change, and what is not yet as it should be', async () => {
      await begin();
      twinTopics();
      site.twins.report('default', 'd', { a: '1' }, 10);
      site.twins.report('default', 'd', { a: '2', b: '3' }, 20);
      const documents = bus.said(`${D}/twin/update/document`) as { twin: Record<string, object> }[];
      const metadata = { type: 'int' };
      const twin = (value: string, timestamp: number): object => ({
        ...{ actual: { value, metadata: { timestamp } }, optional: false, metadata },
      });
      assert.deepEqual(documents[0]?.twin, { a: { current: twin('1', 10) } });
      assert.deepEqual(documents[1]?.twin, {
        a: { last: twin('1', 10), current: twin('2', 20) },
        b: { current: twin('3', 20) },
      });
      assert.deepEqual(bus.said(`${D}/twin/update/delta`), []);
      await site.put(device('d', { name: 'a', desired: { value: '5' } }, { name: 'b' }));
      site.twins.report('default', 'd', { b: '4' });
      const deltas = bus.said(`${D}/twin/update/delta`) as { delta: object; twin: object }[];
      assert.deepEqual(
        deltas.map(({ delta, twin: twins }) => [delta, Object.keys(twins)]),
        [[{ a: '5' }, ['a']]],
        'once, while it is the same',
      );
      site.twins.report('default', 'd', { a: '5' });
      assert.equal(bus.said(`${D}/twin/update/delta`).length, 1);
    });

    it('are not made where nobody hears them', async () => {
      await begin();
      twinTopics();
      bus.isHeard = () => false;
      site.twins.report('default', 'd', { a: '1' });
      await bus.say(`${D}/twin/update`, { ...base, twin: { a: { actual: { value: '2' } } } }, MAPPER);
      assert.deepEqual(bus.published, []);
    });

    it('tell which devices there are, and which come and go', async () => {
      await begin(device('d'), device('e'));
      twinTopics();
      await bus.say(`${N}/get`, base);
      const member = (name: string): object => ({ id: `default/${name}`, name, namespace: 'default' });
      const state = 'unknown';
      assert.deepEqual(bus.said(`${N}/get/result`), [
        {
          ...{ event_id: 'e1', timestamp: stamp() },
          devices: [
            { ...member('d'), state },
            { ...member('e'), state },
          ],
        },
      ]);
      await site.put(device('f'));
      await site.put(device('f', { name: 'a' }));
      await site.remove('d');
      const updates = bus.said(`${N}/updated`) as { added_devices: unknown; removed_devices: unknown }[];
      assert.deepEqual(
        updates.map(({ added_devices: added, removed_devices: removed }) => [added, removed]),
        [
          [[{ ...member('f'), state }], []],
          [[], [member('d')]],
        ],
      );
    });
  });

  describe('of mappers', () => {
    it('have devices and desired values retained, as they are', async () => {
      await begin(device('d', { name: 'a', desired: { value: '+5' } }, { name: 'b' }));
      mapperTopics();
      const { device: bound, revision } = bus.said(`${M}/devices/default/d`)[0] as {
        device: { properties: object[]; uid: string };
        revision: string;
      };
      assert.deepEqual([bound.uid, bound.properties.length], ['uid-d', 2]);
      const desired = (): Record<string, { value: string; version: string }> =>
        (JSON.parse(bus.retained.get(`${M}/desired/default/d`) ?? '{}') as { values: never }).values;
      assert.equal(desired()['a']?.value, '5');
      await site.twins.set('default', 'd', { a: '6' });
      assert.equal(desired()['a']?.value, '6');
      const before = bus.published.length;
      site.twins.report('default', 'd', { a: '1' });
      assert.equal(bus.published.length, before, 'nothing of it is for the mapper');
      await site.put(
        makeModel('model', [
          { name: 'a', maximum: '9' },
          { name: 'b', accessMode: 'ReadOnly' },
        ]),
      );
      const changed = JSON.parse(bus.retained.get(`${M}/devices/default/d`) ?? '{}') as { revision: string };
      assert.notEqual(changed.revision, revision);
    });

    it('are cleared of devices that are gone, invalid from the start, or of another protocol', async () => {
      await begin();
      mapperTopics();
      assert.equal(bus.retained.size, 2);
      await site.put(makeDevice('d', { uid: 'new', model: 'none' }));
      assert.equal(bus.retained.size, 0);
      await site.put(device());
      assert.equal(bus.retained.size, 2);
      await site.remove('d');
      assert.equal(bus.retained.size, 0);
    });

    it('are cleared of devices that went while nobody was here, once that is known', async () => {
      await begin();
      bus.retained.set(`${M}/devices/default/gone`, '{}');
      bus.retained.set(`${M}/desired/default/gone`, '{}');
      bus.retained.set('$hw/events/mapper/other/devices/default/d', '{}');
      site.mayLack = true;
      const topics = mapperTopics();
      topics.whole();
      assert.equal(bus.retained.size, 5);
      site.mayLack = false;
      topics.whole();
      assert.deepEqual([...bus.retained.keys()].sort(), [`${M}/desired/default/d`, `${M}/devices/default/d`]);
      await bus.say(`${M}/devices/default/gone`, '{}', undefined, true);
      assert.equal(bus.retained.size, 2);
    });

    it('take what became of settings, and why a device is not served', async () => {
      await begin(device('d', { name: 'a', desired: { value: '5' } }, { name: 'b' }));
      const topics = mapperTopics();
      const { values } = bus.said(`${M}/desired/default/d`)[0] as { values: { a: { version: string } } };
      const { version } = values.a;
      await bus.say(`${M}/settled/default/d`, { results: { a: { version, ok: true } } }, MAPPER);
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.expected?.settled?.ok, true);
      const { revision } = bus.said(`${M}/devices/default/d`)[0] as { revision: string };
      const problems = [{ path: '/spec', message: 'is wrong', remedy: 'Mend it.' }];
      const refuse = (said: string, client = MAPPER): Promise<void> =>
        bus.say(`${M}/refused/default/d`, { revision: said, problems }, client);
      await refuse('old');
      await refuse(revision, OTHER);
      assert.deepEqual(site.twins.view('default', 'd')?.problems, []);
      await refuse(revision);
      assert.deepEqual(site.twins.view('default', 'd')?.problems, problems);
      await bus.say(`${M}/refused/default/d`, { revision, problems: [] }, MAPPER);
      assert.deepEqual(site.twins.view('default', 'd')?.problems, []);
      await bus.say('$hw/events/mapper/modbus/refused/default/d', { revision, problems }, OTHER);
      assert.deepEqual(site.twins.view('default', 'd')?.problems, [], 'not of this protocol');
      await bus.say(`${M}/settled/default/none`, { results: {} }, MAPPER);
      await bus.say(`${M}/settled/default/d`, 'x', MAPPER);
      assert.deepEqual([topics.counters.forbidden, topics.counters.malformed], [1, 1]);
    });

    it('tell whether a mapper lives', async () => {
      await begin();
      const beats: string[] = [];
      const topics = mapperTopics((client) => beats.push(client));
      const schemas = { protocol: {}, visitor: {} };
      const hello = { mapper: 'virtual', version: '1', schemas };
      await bus.say(`${M}/hello`, hello, undefined, true);
      assert.equal(topics.mappers()[0]?.alive, false, 'what another broker has retained says nothing');
      await bus.say(`${M}/hello`, hello, MAPPER, true);
      site.twins.reportState('default', 'd', 'online');
      const beat = { devices: 1, online: 1, dropped: 0 };
      await site.clock.advance(10_000);
      await bus.say(`${M}/heartbeat`, beat, OTHER);
      await bus.say(`${M}/heartbeat`, beat, MAPPER);
      assert.deepEqual(beats, ['virtual']);
      await site.clock.advance(14_999);
      assert.equal(site.twins.view('default', 'd')?.state, 'online');
      assert.deepEqual(topics.mappers()[0]?.heartbeat, beat);
      await site.clock.advance(2);
      assert.equal(site.twins.view('default', 'd')?.state, 'unknown');
      assert.equal(topics.mappers()[0]?.alive, false);
      await bus.say(`${M}/heartbeat`, beat, MAPPER);
      assert.equal(site.twins.view('default', 'd')?.state, 'online', 'it hung');
      await site.clock.advance(20_000);
      await bus.say(`${M}/hello`, hello, MAPPER, true);
      assert.equal(site.twins.view('default', 'd')?.state, 'unknown', 'it begins anew');
    });

    it('carry commands to mappers, and what came of them', async () => {
      await begin();
      const topics = mapperTopics();
      assert.equal(await topics.command('default', 'none', { kind: 'read' }), undefined);
      const done = topics.command('default', 'd', { kind: 'read', properties: ['a'] });
      const [command] = bus.said(`${M}/command/default/d`) as { id: string; properties: string[] }[];
      assert.deepEqual(command?.properties, ['a']);
      const result = { id: command.id, ok: true, values: { a: '4' } };
      await bus.say(`${M}/command-result/default/d`, result, OTHER);
      await bus.say(`${M}/command-result/default/d`, result, MAPPER);
      assert.deepEqual(await done, result);
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.reported?.value, '4');
      const late = topics.command('default', 'd', { kind: 'read' });
      await site.clock.advance(10_001);
      assert.equal((await late)?.ok, false);
      const aborted = new AbortController();
      const given = topics.command('default', 'd', { kind: 'read' }, aborted.signal);
      aborted.abort(new Error('enough'));
      await assert.rejects(given, /enough/);
      const stopped = topics.command('default', 'd', { kind: 'read' });
      topics.stop();
      assert.equal((await stopped)?.ok, false);
    });

    it('do without a bus that takes nothing', async () => {
      await begin();
      bus.failure = new Error('away');
      const topics = mapperTopics();
      await site.clock.advance(0);
      assert.equal(topics.counters.unpublished, 2);
    });
  });

  describe('for the cloud', () => {
    it('are taken as they are, within their bounds', async () => {
      await begin();
      const uploads: UpstreamBodies['upload'][] = [];
      const ids = new Set<string>();
      const topics = new UploadTopics({
        ...{ bus, perSecond: 2, clock: site.clock, log: silentLogger },
        upload: (id, body) => {
          ids.add(id);
          uploads.push(body);
        },
      });
      topics.start();
      endings.push(() => topics.stop());
      await bus.say('$hw/events/upload/a/b', 'hello');
      await bus.say('SYS/dis/upload_records', 'x');
      await bus.say('$hw/events/elsewhere', 'x');
      assert.deepEqual(uploads, [
        { topic: '$hw/events/upload/a/b', payload: 'aGVsbG8=', at: '2026-01-01T00:00:00.000Z' },
        { topic: 'SYS/dis/upload_records', payload: 'eA==', at: '2026-01-01T00:00:00.001Z' },
      ]);
      await bus.say('$hw/events/upload/large', 'x'.repeat(UPLOAD_BYTES_MAX + 1));
      for (let n = 0; n < 30; n += 1) await bus.say('$hw/events/upload/many', String(n));
      assert.deepEqual(topics.counters(), { taken: 20, tooLarge: 1, tooMany: 12 });
      await site.clock.advance(1_000);
      for (let n = 0; n < 3; n += 1) await bus.say('$hw/events/upload/many', String(n));
      assert.equal(topics.counters().taken, 22);
      assert.equal(ids.size, 22);
    });

    it('are each later than the one before, also in one millisecond and when the clock is set back', async () => {
      await begin();
      const times: string[] = [];
      const topics = new UploadTopics({
        ...{ bus, perSecond: 10, clock: site.clock, log: silentLogger },
        upload: (_, { at }) => times.push(at),
      });
      topics.start();
      endings.push(() => topics.stop());
      const say = (): Promise<void> => bus.say('$hw/events/upload/alarm', 'on');
      await say();
      await say();
      site.clock.jumpWall(-1_000);
      await say();
      await site.clock.advance(5_000);
      await say();
      assert.deepEqual(
        times.map((at) => at.slice('2026-01-01T00:00:'.length)),
        ['00.000Z', '00.001Z', '00.002Z', '04.000Z'],
      );
    });
  });
});
