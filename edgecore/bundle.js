// Makes dist/bundle (or the folder that it is told) from the compiled sources: one file for the edge core, one for each
// of its threads. A program of 300 small modules costs 19 MB more of resident memory than the same in one file
// (docs/edgecore.md, "Memory").
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { directImports } from './bundle-plugins.js';

const here = import.meta.dirname;
const outdir = path.resolve(process.argv[2] ?? path.join(here, 'dist', 'bundle'));

/** The command, and whatever it starts by a path relative to its own file. */
const ENTRIES = {
  main: 'main.js',
  'store-worker': 'store/store-worker.js',
  'process-supervisor': 'runtime/process/supervisor-main.js',
};

await rm(outdir, { recursive: true, force: true });
/** What all of it has in common. */
const SHARED = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // Names stay, so that stack traces can be read; white space and syntax go.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // The streams of Node.js itself, instead of a copy for other places: half a megabyte of memory.
  alias: { 'readable-stream': 'node:stream' },
};

await build({
  ...SHARED,
  entryPoints: Object.entries(ENTRIES).map(([out, file]) => ({
    in: path.join(here, 'dist', 'src', file),
    out,
  })),
  outdir,
  splitting: true,
  plugins: [directImports],
  format: 'esm',
  external: [
    ...['better-sqlite3', '@chainsafe/*'], // native addons are found by path
    '@fails-components/webtransport-transport-http3-quiche', // never there: webtransport goes over HTTP/2
  ],
  banner: {
    // CommonJS packages inside the bundle ask for built-in modules by require.
    js: "import { createRequire as hawserRequire } from 'node:module'; const require = hawserRequire(import.meta.url);",
  },
});

// The start of an edge waits for this one: CommonJS is there 15 ms sooner than modules are.
await build({
  ...SHARED,
  entryPoints: [path.join(here, 'dist', 'src', 'config', 'check-config-process.js')],
  outfile: path.join(outdir, 'check-config-process.cjs'),
  format: 'cjs',
});
