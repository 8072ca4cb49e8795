import type { Demo } from './demo.ts';
import { DemoDevice } from './demo-device.ts';
import { kubectl } from './kubectl.ts';
import { since, waitUntil } from './wait.ts';

const HOT = 231;
const SET = 200;

/** A value of the device goes up to the cluster, and a desired one comes down. */
export async function changeDevice(demo: Demo): Promise<string | undefined> {
  const { site, device, journal, signal } = demo;
  if (device === undefined) return DemoDevice.missing() ?? 'there is no device';
  const { client } = site;
  journal.title(`A Modbus device: ${device.name}`);
  const isReported = async (property: 'temperature' | 'setpoint', value: number): Promise<boolean> =>
    (await device.reported(client, property)) === String(value);
  await waitUntil(
    'the device is reported',
    signal,
    async () => (await device.reported(client, 'setpoint')) !== undefined,
  );
  journal.line('its mapper was started by the edge core, and has set what is desired');
  await kubectl(demo, ['get', 'devices']);

  const upMs = performance.now();
  await device.heat(HOT);
  await waitUntil('the temperature is in the cluster', signal, () => isReported('temperature', HOT));
  journal.done(`up: a register became ${HOT}, and the Device in the cluster says so ${since(upMs)} later`);

  const downMs = performance.now();
  await device.desire(client, SET);
  await waitUntil('the register has it', signal, async () => (await device.setpoint()) === SET);
  journal.done(`down: desired in the cluster, in the register of the device ${since(downMs)} later`);
  await waitUntil('the setpoint is reported', signal, () => isReported('setpoint', SET));
  journal.done(`and reported by the device as its value ${since(downMs)} after it was desired`);
  device.start();
  return undefined;
}
