import { EdgeCoreError } from '../errors.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { RuntimeError } from './runtime-error.ts';
import { wrappedRuntime } from './wrapped-runtime.ts';

const CODES = [
  'ERR_EDGECORE_RUNTIME',
  'ERR_EDGECORE_RUNTIME_TIMEOUT',
  'ERR_EDGECORE_RUNTIME_UNREACHABLE',
] as const;

const METHODS = [
  ...[
    'start',
    'stop',
    'list',
    'get',
    'listen',
    'conditions',
    'createSandbox',
    'stopSandbox',
    'removeSandbox',
  ],
  ...[
    'createContainer',
    'startContainer',
    'stopContainer',
    'removeContainer',
    'exec',
    'streamUrl',
    'reopenLog',
  ],
  'usage',
] as const satisfies readonly (keyof ContainerRuntime)[];

/** What is missing of a runtime in something that a provider made; empty: it is one, as far as can be seen. */
export function missingOf(made: unknown): readonly string[] {
  if (typeof made !== 'object' || made === null) return ['everything'];
  const runtime = made as Partial<Record<keyof ContainerRuntime, unknown>>;
  const missing: string[] = METHODS.filter((method) => typeof runtime[method] !== 'function');
  if (typeof runtime.name !== 'string') missing.push('name');
  if (typeof runtime.real !== 'boolean') missing.push('real');
  if (typeof runtime.images !== 'object' || runtime.images === null) missing.push('images');
  return missing;
}

/**
 * A runtime of another package, whose errors become {@link RuntimeError}: it has classes of its own, or none. The reason
 * of a signal that was aborted stays what it is.
 */
export function providerRuntime(runtime: ContainerRuntime): ContainerRuntime {
  return wrappedRuntime(runtime, async (_, run, args) => {
    try {
      return await run();
    } catch (error) {
      throw args.some((arg) => arg instanceof AbortSignal && arg.reason === error)
        ? error
        : runtimeError(error);
    }
  });
}

function runtimeError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EdgeCoreError || error.name === 'AbortError')
    return error;
  const { code, notFound, about } = error as Error & { code?: unknown; notFound?: unknown; about?: unknown };
  const known = CODES.find((each) => each === code);
  return new RuntimeError(known ?? 'ERR_EDGECORE_RUNTIME', error.message, {
    notFound: notFound === true,
    ...(typeof about === 'string' && { about }),
    cause: error,
  });
}
