// Makes generated/tunnel.js and .d.ts from the schemas. The result is committed; a test keeps it true.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const here = import.meta.dirname;
const cli = createRequire(import.meta.url).resolve('protobufjs-cli/bin/pbjs');
const out = process.argv[2] ?? path.join(here, 'generated', 'tunnel.js');
const leftOut = ['create', 'verify', 'convert', 'delimited', 'typeurl', 'service'].map(
  (part) => `--no-${part}`,
);
const options = ['-t', 'static-module', '-w', 'esm', '--es6', '--force-number', '--dts', ...leftOut];
const imports = ['--dependency', 'protobufjs/minimal.js', '-p', path.join(here, 'schema')];
execFileSync(
  process.execPath,
  [cli, ...options, ...imports, '-o', out, 'hawser/tunnel/v1/session.proto', 'hawser/sync/v1/sync.proto'],
  {
    stdio: 'inherit',
  },
);
