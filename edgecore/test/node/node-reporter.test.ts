import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { edgeConfig } from '../../src/config/options.ts';
import type { NodeBody } from '../../src/node/node-body.ts';
import type { NodeCondition } from '../../src/node/node-conditions.ts';
import { NodeReporter } from '../../src/node/node-reporter.ts';
import { MemoryJsonState } from '../../testing/index.ts';
import { READING, SampleMachine } from './sample-machine.ts';

const MINUTE = 60_000;

describe('NodeReporter', () => {
  let machine: SampleMachine;
  let state: MemoryJsonState;
  let clock: FakeClock;
  let reports: NodeBody[];
  let addresses: (readonly string[])[];
  let reporter: NodeReporter;

  function make(): NodeReporter {
    return new NodeReporter({
      node: 'edge-1',
      config: edgeConfig(),
      machine,
      state,
      report: (body) => reports.push(body),
      onAddresses: (found) => addresses.push(found),
      runtimeVersion: () => 'null://',
      notReady: () => undefined,
      readyMessage: 'ready',
      clock,
      log: silentLogger,
    });
  }

  beforeEach(() => {
    machine = new SampleMachine();
    state = new MemoryJsonState();
    clock = new FakeClock();
    reports = [];
    addresses = [];
    reporter = make();
  });
  afterEach(() => reporter.stop());

  const status = (type: string): string | undefined =>
    (reports.at(-1)?.status['conditions'] as readonly NodeCondition[]).find((each) => each.type === type)
      ?.status;

  it('reports once, and not again while nothing that matters changes', async () => {
    await reporter.start();
    for (let minute = 0; minute < 60; minute++) {
      machine.reading = { ...READING, memoryAvailableBytes: 2 ** 30 - minute * 2 ** 20 };
      await clock.advance(MINUTE);
    }
    assert.equal(reports.length, 1);
    assert.equal(state.writes, 1);
  });

  it('reports a pressure at once, and its end when it has been away for five minutes', async () => {
    await reporter.start();
    machine.reading = { ...READING, memoryAvailableBytes: 50 * 2 ** 20 };
    await clock.advance(10_000);
    assert.equal(status('MemoryPressure'), 'True');
    machine.reading = READING;
    await clock.advance(4 * MINUTE);
    assert.equal(status('MemoryPressure'), 'True');
    await clock.advance(MINUTE);
    assert.equal(status('MemoryPressure'), 'False');
    assert.equal(reports.length, 3);
  });

  it('sees each of the pressures, and none where the system does not count', async () => {
    await reporter.start();
    const { disk } = READING;
    machine.reading = { ...READING, disk: { ...disk, availableBytes: disk.totalBytes * 0.09 } };
    await clock.advance(10_000);
    assert.equal(status('DiskPressure'), 'True');
    machine.reading = { ...READING, pids: { used: 4000, max: 4096 } };
    await clock.advance(10_000);
    assert.equal(status('PIDPressure'), 'True');
    await clock.advance(6 * MINUTE);
    machine.reading = { ...READING, disk: { ...disk, inodes: 0, inodesFree: 0 }, pids: { used: 9, max: 0 } };
    await clock.advance(6 * MINUTE);
    assert.deepEqual([status('DiskPressure'), status('PIDPressure')], ['False', 'False']);
    machine.reading = { ...READING, disk: { ...disk, inodesFree: 40 } };
    await clock.advance(10_000);
    assert.equal(status('DiskPressure'), 'True');
  });

  it('reports another address, and tells those who have it in their own reports', async () => {
    await reporter.start();
    machine.reading = { ...READING, addresses: ['198.51.100.1'] };
    await clock.advance(10_000);
    assert.equal(reports.length, 2);
    assert.deepEqual(addresses, [['192.0.2.7', '2001:db8::7'], ['198.51.100.1']]);
  });

  it('keeps the times of its conditions over a restart', async () => {
    await reporter.start();
    const before = reports[0]?.status;
    await reporter.stop();
    await clock.advance(60 * MINUTE);
    reporter = make();
    await reporter.start();
    assert.deepEqual(reports[1]?.status, before);
  });

  it('says it again when the cloud asks', async () => {
    await reporter.start();
    reporter.forget();
    assert.equal(reports.length, 2);
    assert.deepEqual(reports[1], reports[0]);
  });

  it('goes on where the machine cannot be read for a while', async () => {
    await reporter.start();
    machine.reading = new Error('no /proc');
    await clock.advance(MINUTE);
    machine.reading = { ...READING, addresses: ['198.51.100.1'] };
    await clock.advance(10_000);
    assert.equal(reports.length, 2);
  });

  it('leaves no timer behind', async () => {
    await reporter.start();
    await reporter.stop();
    await reporter.stop();
    assert.equal(clock.pendingTimers, 0);
  });
});
