// The command and the mappers, each as one file or a few, as edgecore/bundle.js does it for the edge core.
import path from 'node:path';
import { build } from 'esbuild';
import { root } from '../run.js';

/** Loaded by their names at run time, where they are used: native code, and libraries that only few edges need. */
export const LIBRARIES = ['better-sqlite3', 'dbus-next', 'modbus-serial', 'serialport'];

/** Our mappers. */
export const MAPPERS = ['modbus', 'bluetooth', 'virtual'];

const SHARED = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  external: [...LIBRARIES, '@chainsafe/*', '@fails-components/webtransport-transport-http3-quiche'], // see edgecore/bundle.js
  banner: {
    // CommonJS packages inside the bundle ask for built-in modules by require.
    js: "import { createRequire as hawserRequire } from 'node:module'; const require = hawserRequire(import.meta.url);",
  },
};

/** Chunks: what a command does not need is not loaded. The clients of an API server are in one of their own. */
export async function bundleCommand(outdir) {
  const entry = path.join(root, 'cli', 'dist', 'src', 'main.js');
  await build({ ...SHARED, entryPoints: [entry], outdir, splitting: true });
  // What checks a configuration is a process of its own, found beside whoever asks.
  const checker = path.join(root, 'edgecore', 'dist', 'src', 'config', 'check-config-process.js');
  await build({ ...SHARED, entryPoints: [checker], outdir });
}

/** One file. */
export async function bundleMapper(name, outfile) {
  const entry = path.join(root, 'mappers', name, 'dist', 'src', 'main.js');
  await build({ ...SHARED, entryPoints: [entry], outfile });
}
