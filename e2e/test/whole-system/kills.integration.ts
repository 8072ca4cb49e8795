import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { scaled, soaking } from '@hawser/seams/testing';
import { APP_REPLICAS } from '../../src/whole-site/whole-objects.ts';
import { untilSeen } from '../../src/whole-site/until-seen.ts';
import { describeConnected } from './connected.ts';
import { givenWhole } from './given-whole.ts';
import { Killer } from './killer.ts';
import { untilConverged, untilDesiredIsReported, uidsOf } from './together.ts';
import { filesInContainers, untilRegister, untilReported } from './views.ts';

const ROUNDS = scaled(4, 40);
/** Rounds before it has to be as wanted. */
const ROUNDS_A_STEP = 4;

// A minute and more for what the other tests of the whole do in half of one: in a soak only.
if (soaking)
  for (const transport of ['ws', 'quic'] as const)
    describe(`the whole system over ${transport}, whose processes are killed`, () => {
      const seed = Number(process.env['HAWSER_SEED'] ?? Date.now() % 1_000_000);
      const random = seededRandom(seed);
      let killer: Killer | undefined;
      let uids: readonly string[] = [];
      const steps = givenWhole(transport);

      describeConnected(steps, transport);
      for (let step = 1; step <= ROUNDS / ROUNDS_A_STEP; step++)
        steps.step(`agrees at the end: ${step}, HAWSER_SEED=${seed}`, async (site) => {
          if (uids.length === 0) uids = await uidsOf(site);
          killer ??= new Killer(site, random, { text: 'second', speed: 20, valve: 0, level: 501 });
          killer.said.length = 0;
          try {
            for (let round = 0; round < ROUNDS_A_STEP; round++) await killer.round();
            for (const { edge } of site.members) await edge.untilInSync(120_000);
            await untilConverged(site);
            const { text, speed, valve, level } = killer.wanted;
            await untilSeen(
              `the files say ${text}`,
              () => filesInContainers(site),
              (files) => files.length === APP_REPLICAS && files.every((one) => one === text),
            );
            await untilRegister(site, 'speed', speed);
            await untilRegister(site, 'valve', valve);
            await untilReported(site, 'level', String(level));
            await untilDesiredIsReported(site);
            assert.deepEqual(await uidsOf(site), uids, 'a pod was replaced');
          } catch (cause) {
            throw new Error(`after ${killer.said.join(', ')}: ${(cause as Error).message}`, { cause });
          }
        });
    });
