import type { Clock, Logger } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { EdgeConfig } from './config/options.ts';
import type { ContainerRuntime } from './runtime/container-runtime.ts';
import { meteredRuntime, runtimeMetrics } from './runtime/metered-runtime.ts';
import { NullRuntime } from './runtime/null-runtime.ts';
import type { JsonState } from './state/json-state.ts';

/** What {@link makeRuntime} needs. */
export interface EdgeRuntimeOptions {
  readonly config: Pick<EdgeConfig['pods'], 'runtime' | 'runtimeEndpoint'>;
  readonly state: JsonState;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the node goes on to say of a runtime that is away. */
const VERSION_KEY = 'runtime-version';

/** Makes the runtime that is configured, its calls measured. What it is not is not loaded. */
export async function makeRuntime(options: EdgeRuntimeOptions): Promise<ContainerRuntime> {
  const { config, state, registry, clock, log } = options;
  if (config.runtime === 'null') return new NullRuntime({ state, clock });
  const { CriRuntime } = await import('./runtime/cri/cri-runtime.ts');
  const lastKnown = await state.read(VERSION_KEY);
  const runtime = new CriRuntime({
    endpoint: config.runtimeEndpoint,
    ...(typeof lastKnown === 'string' && { lastKnown }),
    onVersion: (version) => {
      state.write(VERSION_KEY, version).catch((error: unknown) => {
        log.warn({ err: error, version }, 'the version of the container runtime could not be kept');
      });
    },
    ...{ clock, log },
  });
  return meteredRuntime(runtime, runtimeMetrics(registry));
}
