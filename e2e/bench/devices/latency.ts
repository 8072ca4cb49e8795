import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { delay } from '@hawser/seams';
import { DevicesSite } from '../../src/devices-site/devices-site.ts';
import { registerDevice, registerModel, reportedValue } from '../../src/devices-site/device-objects.ts';
import { median, percentile, type Bench } from '../../src/index.ts';

const CHANGES = 40;
const WARM_UPS = 5;
const UNIT = 1;
/** A change comes at any moment of a cycle. */
const CYCLE_MS = 50;
const PAUSE_MS = 170;
const LOOK_EVERY_MS = 2;
const DEADLINE_MS = 20_000;

/** A register changes until the Device's status says so; the Device's desired value changes until the register has it. */
export async function measureLatency(bench: Bench): Promise<void> {
  bench.say('starting a control plane, a hub, an edge, a mapper and a Modbus device …');
  const peer = await ModbusPeer.tcp();
  bench.onEnd(() => peer.stop());
  const site = await DevicesSite.open({ hub: { heartbeatSeconds: 10, logLevel: 'error' } });
  bench.onEnd(() => site.close());
  const properties = [
    { name: 'level', offset: 0, collectCycle: CYCLE_MS, reportCycle: CYCLE_MS },
    { name: 'speed', offset: 1, collectCycle: CYCLE_MS, reportCycle: CYCLE_MS, writable: true, desired: '1' },
  ];
  const at = { node: site.edge.node, model: 'tank', port: peer.port, unit: UNIT };
  await site.create(registerModel('tank', properties), registerDevice('tank-1', at, properties));
  await site.until('tank-1', (device) => reportedValue(device, 'speed') === '1');

  bench.say(`changing a register ${CHANGES} times …`);
  const up: number[] = [];
  for (let change = -WARM_UPS; change < CHANGES; change++) {
    const value = 1_000 + change;
    const startedMs = performance.now();
    await peer.set(UNIT, 'holding', 0, [value]);
    await site.until('tank-1', (device) => reportedValue(device, 'level') === String(value));
    if (change >= 0) up.push(performance.now() - startedMs);
    await delay(PAUSE_MS);
  }
  const upNote = `read every ${CYCLE_MS} ms; p99 ${percentile(up, 99).toFixed(0)} ms`;
  bench.figure({
    ...{ figure: 'register_to_status_p50_ms', value: median(up), unit: 'ms', n: CHANGES, note: upNote },
  });

  bench.say(`changing a desired value ${CHANGES} times …`);
  const down: number[] = [];
  for (let change = -WARM_UPS; change < CHANGES; change++) {
    const value = 2_000 + change;
    const startedMs = performance.now();
    await site.setDesired('tank-1', 'speed', String(value));
    while ((await peer.get(UNIT, 'holding', 1, 1))[0] !== value) {
      if (performance.now() - startedMs > DEADLINE_MS)
        throw new Error(`the register does not become ${value}`);
      await delay(LOOK_EVERY_MS);
    }
    if (change >= 0) down.push(performance.now() - startedMs);
    await delay(PAUSE_MS);
  }
  const note = `p99 ${percentile(down, 99).toFixed(0)} ms`;
  bench.figure({ figure: 'desired_to_register_p50_ms', value: median(down), unit: 'ms', n: CHANGES, note });
  await site.close();
}
