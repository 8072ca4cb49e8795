import path from 'node:path';

/** The example provider of the documentation. */
export const ECHO_PROVIDER = path.resolve(
  import.meta.dirname,
  '../../../../../docs/examples/runtime-provider/echo-provider.js',
);
