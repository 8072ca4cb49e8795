import { DeviceDescriber } from './device-describer.ts';
import { dmiCounters } from './dmi-counters.ts';
import type { DmiGateOptions } from './dmi-gate.ts';
import { DmiMappers } from './dmi-mappers.ts';
import { registerDmiMetrics } from './dmi-metrics.ts';
import { DmiServer } from './dmi-server.ts';

/** DMI as it runs. */
export interface RunningDmi {
  /** What is wrong, in words. */
  problems(): readonly string[];
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Takes up the mappers that are known, and opens the socket. @throws EdgeCoreError `ERR_EDGECORE_DMI`: nothing is left then */
export async function openDmi(options: DmiGateOptions): Promise<RunningDmi> {
  const { config, directory, twins, objects, registry, log } = options;
  const counters = dmiCounters();
  const describer = new DeviceDescriber({ directory, twins, objects });
  const mappers = new DmiMappers({ ...options, describer, callsPerSecond: config.callsPerSecond, counters });
  const server = new DmiServer({ socket: config.socket, mappers, counters, log });
  const stop = async (): Promise<void> => {
    await server.stop();
    await mappers.stop();
  };
  try {
    await mappers.start();
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  registerDmiMetrics(registry, () => ({ counters, amounts: mappers.amounts() }));
  return { problems: () => mappers.problems(), stop };
}
