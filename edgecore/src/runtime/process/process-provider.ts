import { RUNTIME_API_VERSION, type RuntimeProvider } from '../runtime-provider.ts';
import { readProcessOptions, type ProcessOptions } from './process-options.ts';
import { ProcessRuntime } from './process-runtime.ts';

/** The runtime `process`, as any other provider. */
export const processProvider: RuntimeProvider<ProcessOptions> = {
  apiVersion: RUNTIME_API_VERSION,
  readOptions: readProcessOptions,
  create: (context) => new ProcessRuntime(context),
};
