import assert from 'node:assert/strict';
import path from 'node:path';
import { deferred, silentLogger } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { dmiCounters } from '../../src/dmi/dmi-counters.ts';
import { DmiMappers } from '../../src/dmi/dmi-mappers.ts';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';

const TIMES = { callMs: 1_000, probeMs: 1_000, answerMs: 1_000, silentMs: 5_000, forgetMs: 10_000 };
const KEY = 'dmi/virtual';

describe('a DMI mapper that is forgotten', () => {
  let dir: TempDir;
  let site: TwinSite;
  let mappers: DmiMappers;
  /** What is asked of a device waits for it. */
  let described: Promise<undefined>;

  beforeEach(async () => {
    dir = await makeTempDir();
    site = new TwinSite();
    described = Promise.resolve(undefined);
    const { directory, twins, state, clock } = site;
    mappers = new DmiMappers({
      ...{ directory, twins, state, clock, counters: dmiCounters() },
      describer: { describe: () => described },
      ...{ busMapper: () => undefined, callsPerSecond: 1000, times: TIMES, log: silentLogger },
    });
    await site.start(makeModel('model', [{ name: 'a' }]), makeDevice('d', { properties: [{ name: 'a' }] }));
    await mappers.start();
  });

  afterEach(async () => {
    await mappers.stop();
    await site.twins.stop();
    await site.directory.stop();
    await dir.remove();
  });

  /** Nobody serves at its address. */
  const register = (version: string): Promise<unknown> =>
    mappers.register({
      withData: false,
      mapper: {
        ...{ name: 'virtual-mapper', version, apiVersion: 'v1.0.0', protocol: 'virtual', state: 'ok' },
        address: Buffer.from(path.join(dir.path, 'mapper.sock')),
      },
    });

  it('and registers again while the former one ends is on the disk', async () => {
    const { promise, resolve } = deferred<undefined>();
    described = promise;
    await register('v1');
    assert.ok(site.state.values.has(KEY));
    // Its end waits for what is under way.
    await eventually('it is forgotten', async () => {
      await site.clock.advance(TIMES.probeMs);
      return mappers.amounts().registered === 0;
    });
    const again = register('v2');
    await site.clock.advance(0);
    resolve(undefined);
    await again;
    await site.clock.advance(0);
    assert.equal(mappers.amounts().registered, 1);
    assert.match(site.state.values.get(KEY) ?? '', /"v2"/);
  });

  it('is not on the disk any more', async () => {
    await register('v1');
    await eventually('it is forgotten', async () => {
      await site.clock.advance(TIMES.probeMs);
      return mappers.amounts().registered === 0 && !site.state.values.has(KEY);
    });
  });
});
