import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { delay } from '@hawser/seams';
import { DevicesSite } from '../../src/devices-site/devices-site.ts';
import {
  registerDevice,
  registerModel,
  type RegisterProperty,
} from '../../src/devices-site/device-objects.ts';
import { processUsage, type Bench } from '../../src/index.ts';

const DEVICES = 100;
const PROPERTIES = 20;
const CPU_MS = 30_000;
const CONNECTED_MINUTES = 3;
const CUT_MINUTES = 5;
const KIB = 1024;
const HOUR_MINUTES = 60;
const DEADLINE_MS = 60_000;

const properties: readonly RegisterProperty[] = Array.from({ length: PROPERTIES }, (_, index) => ({
  name: `p${index}`,
  offset: index,
}));

/** A hundred devices with twenty registers, all of which change every second, and are read every second. */
export async function measureLoad(bench: Bench): Promise<void> {
  bench.say(`starting ${DEVICES} devices …`);
  const peer = await ModbusPeer.tcp();
  bench.onEnd(() => peer.stop());
  const site = await DevicesSite.open({ hub: { heartbeatSeconds: 10, logLevel: 'error' } });
  bench.onEnd(() => site.close());
  const at = { node: site.edge.node, model: 'station', port: peer.port };
  await site.create(
    registerModel('station', properties),
    ...Array.from({ length: DEVICES }, (_, index) =>
      registerDevice(`station-${index}`, { ...at, unit: index + 1 }, properties),
    ),
  );
  const registers = new Registers(peer);
  registers.start();
  bench.onEnd(() => registers.stop());
  await untilAllReport(site);

  await measureCpu(bench, site);
  bench.say(`looking at the flash for ${CONNECTED_MINUTES} minutes …`);
  await measureFlash(bench, site, 'flash_100x20_connected_kib_hour', CONNECTED_MINUTES);
  bench.say(`the same without a cloud for ${CUT_MINUTES} minutes …`);
  await site.cluster.link.cut();
  await measureFlash(bench, site, 'flash_100x20_cut_kib_hour', CUT_MINUTES);
  await site.cluster.link.heal();
  await registers.stop();
  await measureLost(bench, site, registers);
  await site.close();
}

/** Counts all registers up, once a second. */
class Registers {
  /** Each register's value is this plus its own offset. */
  value = 0;
  readonly #peer: ModbusPeer;
  readonly #stopping = new AbortController();
  #counting: Promise<void> | undefined;

  constructor(peer: ModbusPeer) {
    this.#peer = peer;
  }

  start(): void {
    this.#counting = this.#count();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#counting;
  }

  async #count(): Promise<void> {
    const isStopping = (): boolean => this.#stopping.signal.aborted;
    while (!isStopping()) {
      const startedMs = performance.now();
      this.value = (this.value + 1) % 60_000;
      const values = properties.map(({ offset }) => this.value + offset);
      for (let unit = 1; unit <= DEVICES && !isStopping(); unit++)
        await this.#peer.set(unit, 'holding', 0, values);
      if (!isStopping()) await delay(Math.max(0, 1_000 - (performance.now() - startedMs)));
    }
    const values = properties.map(({ offset }) => this.value + offset);
    for (let unit = 1; unit <= DEVICES; unit++) await this.#peer.set(unit, 'holding', 0, values);
  }
}

async function untilAllReport(site: DevicesSite): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const { items } = await site.edge.admin.devices();
    const reported = items.flatMap(({ twins }) => twins).filter((twin) => twin.reported !== undefined);
    if (reported.length === DEVICES * PROPERTIES) return;
    if (performance.now() - startedMs > DEADLINE_MS)
      throw new Error(`${reported.length} of ${DEVICES * PROPERTIES} properties are reported`);
    await delay(200);
  }
}

async function measureCpu(bench: Bench, site: DevicesSite): Promise<void> {
  const mapper = (await site.edge.admin.mappers()).items[0]?.pid;
  if (mapper === undefined) throw new Error('the mapper does not run');
  await delay(5_000); // what belongs to the start is done
  bench.say(`looking at the processors for ${CPU_MS / 1000} s …`);
  const pids = { edgecore: site.edge.process.pid, mapper };
  const before = { edgecore: await processUsage(pids.edgecore), mapper: await processUsage(pids.mapper) };
  const startedMs = performance.now();
  await delay(CPU_MS);
  const elapsedMs = performance.now() - startedMs;
  for (const who of ['edgecore', 'mapper'] as const) {
    const after = await processUsage(pids[who]);
    const percent = ((after.cpuMs - before[who].cpuMs) / elapsedMs) * 100;
    const note = `rss ${(after.rssBytes / KIB / KIB).toFixed(0)} MB`;
    bench.figure({ figure: `load_100x20_${who}_cpu_percent`, value: percent, unit: '%', n: DEVICES, note });
  }
}

async function measureFlash(bench: Bench, site: DevicesSite, figure: string, minutes: number): Promise<void> {
  const { pid } = site.edge.process;
  const before = await processUsage(pid);
  await delay(minutes * 60_000);
  const after = await processUsage(pid);
  const kib = ((after.writtenBytes - before.writtenBytes) / KIB) * (HOUR_MINUTES / minutes);
  bench.figure({ figure, value: kib, unit: 'KiB', n: minutes, note: `of ${minutes} minutes, multiplied` });
}

/** What registers have at the end, and the edge or the API does not. */
async function measureLost(bench: Bench, site: DevicesSite, registers: Registers): Promise<void> {
  const startedMs = performance.now();
  const wanted = new Map(properties.map(({ name, offset }) => [name, String(registers.value + offset)]));
  for (;;) {
    const atEdge = (await site.edge.admin.devices()).items.flatMap(({ twins }) => twins);
    const lostAtEdge = atEdge.filter(
      ({ property, reported }) => reported?.value !== wanted.get(property),
    ).length;
    const inApi = (await site.devices()).flatMap(({ status }) => status?.twins ?? []);
    const right = inApi.filter(
      ({ propertyName, reported }) => reported?.value === wanted.get(propertyName),
    ).length;
    const lost = lostAtEdge + (DEVICES * PROPERTIES - right);
    if (lost === 0 || performance.now() - startedMs > DEADLINE_MS) {
      const note = 'values that edge or API do not have in the end, after a cut of minutes';
      bench.figure({ figure: 'load_100x20_lost', value: lost, unit: 'count', n: DEVICES * PROPERTIES, note });
      return;
    }
    await delay(500);
  }
}
