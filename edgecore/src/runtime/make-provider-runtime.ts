import { mkdir } from 'node:fs/promises';
import { EdgeCoreError } from '../errors.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { missingOf } from './provider-runtime.ts';
import type { RuntimeContext, RuntimeProvider } from './runtime-provider.ts';

/**
 * Has a provider make its runtime: checks the options, makes its folder, and looks at what came of it.
 * @throws EdgeCoreError `ERR_EDGECORE_RUNTIME_OPTIONS`, `ERR_EDGECORE_RUNTIME_PROVIDER`
 */
export async function makeProviderRuntime(
  name: string,
  provider: RuntimeProvider<unknown>,
  context: RuntimeContext,
): Promise<ContainerRuntime> {
  const options = readOptions(name, provider, context.options);
  await mkdir(context.dataDir, { recursive: true, mode: 0o700 });
  const made = await provider.create({ ...context, options });
  const missing = missingOf(made);
  if (missing.length === 0) return made;
  const message = `pods.runtime: what ${name} makes is no runtime: it lacks ${missing.join(', ')}`;
  throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER', message, { about: name });
}

function readOptions(
  name: string,
  provider: RuntimeProvider<unknown>,
  given: Readonly<Record<string, unknown>>,
): unknown {
  if (provider.readOptions === undefined) {
    const [first] = Object.keys(given);
    if (first === undefined) return {};
    const message = `pods.runtimeOptions.${first}: the runtime ${name} has no options`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_OPTIONS', message, { about: name });
  }
  try {
    return provider.readOptions(given);
  } catch (cause) {
    if (cause instanceof EdgeCoreError) throw cause;
    const message = `pods.runtimeOptions: ${(cause as Error).message}`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_OPTIONS', message, { about: name, cause });
  }
}
