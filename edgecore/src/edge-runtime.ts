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

/** Makes the runtime that is configured, its calls measured. What it is not is not loaded. */
export async function makeRuntime(options: EdgeRuntimeOptions): Promise<ContainerRuntime> {
  const { config, state, registry, clock, log } = options;
  if (config.runtime === 'null') return new NullRuntime({ state, clock });
  const { CriRuntime } = await import('./runtime/cri/cri-runtime.ts');
  const runtime = new CriRuntime({ endpoint: config.runtimeEndpoint, clock, log });
  return meteredRuntime(runtime, runtimeMetrics(registry));
}
