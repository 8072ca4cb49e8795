import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { unpackJson } from '@hawser/sync';
import { GoldenEdge } from './golden-edge.ts';
import { GoldenHub } from './golden-hub.ts';
import { frameOf, readGolden, settle, writeGolden, type GoldenStep } from './golden-script.ts';
import { GOLDEN_SESSIONS } from './golden-sessions.ts';

/** Set to record anew: only for a session of a new release, in files of its own. */
const RECORDING = process.env['HAWSER_RECORD_GOLDEN'] === '1';

// What edges and hubs of release 1 said to each other, as bytes: every later release goes on with both.
describe('sessions as release 1 had them', function () {
  this.timeout(30_000);
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  for (const name of Object.keys(GOLDEN_SESSIONS)) {
    if (RECORDING) it(`${name} is recorded`, () => record(name));

    it(`${name}: an edge of release 1 gets from this hub what it is to have`, async () => {
      const steps = await readGolden(name);
      let sent = 0;
      let expected = 0;
      const hub = new GoldenHub(clock, () => (sent += 1));
      const said = steps.filter((step) => step.do === 'say');
      for (const step of steps) {
        if (step.do === 'open') hub.open();
        else if (step.do === 'put') hub.put(step.resource, step.object);
        else if (step.do === 'remove') hub.remove(step.key);
        else if (step.do === 'advance') await clock.advance(step.ms);
        else if (step.do === 'hub') expected += 1;
        else if (step.do === 'edge') {
          await settle(); // what it answers has been said
          hub.take(frameOf(step.frame));
        } else if (step.do === 'expect') {
          await settle();
          assert.deepEqual(hub.errors, [], step.what);
          assert.equal(sent, expected, `${step.what}: frames sent`);
          assert.equal(hub.inSync, step.outcome.synced, `${step.what}: in sync`);
          const counted = Object.entries(step.outcome.sent ?? {});
          assert.deepEqual(counted, Object.entries(counters(hub)), step.what);
        }
      }
      const kinds = new Set(hub.upstreams.map(({ kind }) => kind));
      assert.deepEqual(kinds, new Set(said.map(({ kind }) => kind)));
      for (const { kind, body } of hub.upstreams)
        assert.deepEqual(unpackJson(body), said.find((step) => step.kind === kind)?.body);
      await hub.stop();
    });

    it(`${name}: this edge makes of what a hub of release 1 says what it should`, async () => {
      const edge = new GoldenEdge(clock, () => {});
      await edge.start();
      for (const step of await readGolden(name)) {
        if (step.do === 'open') edge.open();
        else if (step.do === 'say') edge.say(step);
        else if (step.do === 'advance') await clock.advance(step.ms);
        else if (step.do === 'hub') {
          await settle();
          edge.take(frameOf(step.frame));
        } else if (step.do === 'expect') {
          await settle();
          assert.deepEqual(edge.errors, [], step.what);
          assert.deepEqual({ ...edge.outcome(), sent: step.outcome.sent }, step.outcome, step.what);
        }
      }
      await edge.stop();
    });
  }

  async function record(name: string): Promise<void> {
    const steps: GoldenStep[] = [];
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const hub: GoldenHub = new GoldenHub(clock, (bytes) => {
      steps.push({ do: 'hub', frame: hex(bytes) });
      queueMicrotask(() => edge.take(frameOf(hex(bytes))));
    });
    const edge: GoldenEdge = new GoldenEdge(clock, (bytes) => {
      steps.push({ do: 'edge', frame: hex(bytes) });
      queueMicrotask(() => hub.take(frameOf(hex(bytes))));
    });
    await edge.start();
    for (const action of GOLDEN_SESSIONS[name] ?? []) {
      if (typeof action === 'string') {
        await settle();
        const outcome = { ...edge.outcome(), sent: counters(hub) };
        steps.push({ do: 'expect', what: action, outcome });
        continue;
      }
      steps.push(action);
      if (action.do === 'put') hub.put(action.resource, action.object);
      else if (action.do === 'remove') hub.remove(action.key);
      else if (action.do === 'say') edge.say(action);
      else if (action.do === 'advance') await clock.advance(action.ms);
      else {
        hub.open();
        edge.open();
      }
    }
    assert.deepEqual([...hub.errors, ...edge.errors], []);
    await edge.stop();
    await hub.stop();
    await writeGolden(name, steps);
  }
});

/** What was sent as what: bytes may differ with the next release, and so may batches. */
function counters({ counters: all }: GoldenHub): Readonly<Record<string, number>> {
  const { fulls, deltas, removals, rehashes, holds, confirmations, inventories, unchanged } = all;
  return { fulls, deltas, removals, rehashes, holds, confirmations, inventories, unchanged };
}
