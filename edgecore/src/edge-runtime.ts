import path from 'node:path';
import type { Clock, Logger } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { EdgeConfig } from './config/options.ts';
import type { ContainerRuntime } from './runtime/container-runtime.ts';
import { meteredRuntime, runtimeMetrics } from './runtime/metered-runtime.ts';
import { NullRuntime } from './runtime/null-runtime.ts';
import type { RuntimeContext } from './runtime/runtime-provider.ts';
import type { JsonState } from './state/json-state.ts';

/** What {@link makeRuntime} needs. */
export interface EdgeRuntimeOptions extends Pick<RuntimeContext, 'node' | 'nodeAddresses' | 'tell'> {
  readonly config: Pick<EdgeConfig['pods'], 'runtime' | 'runtimeEndpoint' | 'runtimeOptions'>;
  /** Of the edge core: a runtime's own folder is below it. */
  readonly dataDir: string;
  readonly state: JsonState;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the node goes on to say of a runtime that is away. */
const VERSION_KEY = 'runtime-version';

/**
 * Makes the runtime that is configured, its calls measured. What it is not is not loaded.
 * @throws EdgeCoreError `ERR_EDGECORE_RUNTIME_PROVIDER…`, `ERR_EDGECORE_RUNTIME_OPTIONS`
 */
export async function makeRuntime(options: EdgeRuntimeOptions): Promise<ContainerRuntime> {
  const { config, state, registry, clock, log } = options;
  if (config.runtime === 'null') return new NullRuntime({ state, clock });
  const runtime = config.runtime === 'cri' ? await makeCri(options) : await makeOther(options);
  const { caution } = runtime.traits ?? {};
  if (caution !== undefined) log.warn({ runtime: runtime.name }, caution);
  return meteredRuntime(runtime, runtimeMetrics(registry));
}

async function makeCri({ config, state, clock, log }: EdgeRuntimeOptions): Promise<ContainerRuntime> {
  const { CriRuntime } = await import('./runtime/cri/cri-runtime.ts');
  const lastKnown = await state.read(VERSION_KEY);
  return new CriRuntime({
    endpoint: config.runtimeEndpoint,
    ...(typeof lastKnown === 'string' && { lastKnown }),
    onVersion: (version) => {
      state.write(VERSION_KEY, version).catch((error: unknown) => {
        log.warn({ err: error, version }, 'the version of the container runtime could not be kept');
      });
    },
    ...{ clock, log },
  });
}

/** That of processes, which is a provider as any other, or one of another package. */
async function makeOther(options: EdgeRuntimeOptions): Promise<ContainerRuntime> {
  const { config, dataDir, state, node, nodeAddresses, tell, clock, log } = options;
  const { makeProviderRuntime } = await import('./runtime/make-provider-runtime.ts');
  const isOwn = config.runtime === 'process';
  const context: RuntimeContext = {
    ...{ options: config.runtimeOptions, state, node, nodeAddresses, tell, clock },
    dataDir: path.join(dataDir, isOwn ? 'process' : 'runtime'),
    log: log.child({ component: 'runtime' }),
  };
  if (isOwn) {
    const { processProvider } = await import('./runtime/process/process-provider.ts');
    return makeProviderRuntime(config.runtime, processProvider, context);
  }
  const { loadProvider } = await import('./runtime/load-provider.ts');
  const { providerRuntime } = await import('./runtime/provider-runtime.ts');
  return providerRuntime(
    await makeProviderRuntime(config.runtime, await loadProvider(config.runtime), context),
  );
}
