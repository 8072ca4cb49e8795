// Makes dist/bundle from the compiled sources: one file for the edge core, one for each of its threads. A program of
// 300 small modules costs 19 MB more of resident memory than the same in one file (docs/edgecore.md, "Memory").
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const outdir = path.join(here, 'dist', 'bundle');

/** The command, and whatever it starts by a path relative to its own file. */
const ENTRIES = {
  main: 'main.js',
  'store-worker': 'store/store-worker.js',
  'check-config-process': 'config/check-config-process.js',
};

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: Object.entries(ENTRIES).map(([out, file]) => ({
    in: path.join(here, 'dist', 'src', file),
    out,
  })),
  outdir,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Names stay, so that stack traces can be read; white space and syntax go.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  external: ['better-sqlite3', '@chainsafe/*'], // native addons are found by path
  banner: {
    // CommonJS packages inside the bundle ask for built-in modules by require.
    js: "import { createRequire as hawserRequire } from 'node:module'; const require = hawserRequire(import.meta.url);",
  },
});
