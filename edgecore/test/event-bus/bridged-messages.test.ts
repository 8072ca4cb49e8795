import assert from 'node:assert/strict';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { BusMessage } from '../../src/event-bus/event-bus.ts';
import { EmbeddedBus } from '../../src/event-bus/embedded/embedded-bus.ts';
import { givenBus, type GivenBus } from './given-bus.ts';

describe('what a bridged broker has retained', () => {
  let dir: TempDir;
  let given: GivenBus | undefined;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(async () => {
    await given?.end();
    given = undefined;
    await dir.remove();
  });

  /** Ends the one before. */
  async function start(): Promise<EmbeddedBus> {
    await given?.end();
    given = await givenBus(dir.path);
    assert.ok(given.bus instanceof EmbeddedBus);
    return given.bus;
  }

  const take = async (bus: EmbeddedBus, topic: string, payload: string | Buffer): Promise<void> => {
    await bus.publishBridged({ topic, payload, qos: 1, retain: true });
  };

  it('is bounded in messages, and counted', async () => {
    const bus = await start();
    await Promise.all(Array.from({ length: 1100 }, (_, n) => take(bus, `plant/${n}`, 'x')));
    assert.equal(bus.status().retained, 1000);
    assert.equal(bus.counters.dropped.get('retained'), 100);
    // What is there already can change, and what the edge core says has its place.
    await take(bus, 'plant/0', 'y');
    await bus.publish('$hw/events/mapper/modbus/devices/factory/pump', 'pump', { retain: true });
    assert.equal(bus.status().retained, 1001);
    assert.equal(bus.counters.dropped.get('retained'), 100);
  });

  it('is bounded in bytes', async () => {
    const bus = await start();
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => take(bus, `plant/${n}`, Buffer.alloc(100_000, 'x'))),
    );
    assert.equal(bus.status().retained, 20); // of 2 MiB
    assert.equal(bus.counters.dropped.get('retained'), 10);
  });

  it('comes from nobody, and outlasts a restart', async () => {
    let bus = await start();
    const live: BusMessage[] = [];
    bus.subscribe('app/+', (message) => void live.push(message));
    await take(bus, 'app/state', 'on');
    await take(bus, 'app/gone', 'on');
    await take(bus, 'app/gone', '');
    await take(bus, 'app/ours', 'theirs');
    await bus.publish('app/ours', 'ours', { retain: true });
    assert.deepEqual(
      live.map(({ client }) => client),
      Array.from({ length: 5 }, () => undefined),
    );
    const kept = (): unknown[] => {
      const heard: unknown[] = [];
      bus.subscribe('app/+', ({ topic, payload, retain, client }) => {
        heard.push([topic, Buffer.from(payload).toString(), retain, client]);
      });
      return heard;
    };
    assert.deepEqual(kept(), [
      ['app/state', 'on', true, undefined],
      ['app/ours', 'ours', true, undefined],
    ]);
    bus = await start();
    assert.deepEqual(kept(), [['app/state', 'on', true, undefined]]);
    const heard: string[] = [];
    const client = await given?.client('app');
    client?.on('message', (topic, payload, { retain }) =>
      heard.push(`${topic} ${String(payload)} ${retain}`),
    );
    await client?.subscribeAsync('app/#', { qos: 1 });
    await eventually('what was retained', () => heard.length > 0);
    assert.deepEqual(heard, ['app/state on true']);
  });
});
