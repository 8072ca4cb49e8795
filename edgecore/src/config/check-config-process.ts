// Started by load-config.ts: reads ConfigSources as JSON from standard input, writes CheckedConfig to standard output.
import { text } from 'node:stream/consumers';
import { checkConfig, type ConfigSources } from './check-config.ts';

const sources = JSON.parse(await text(process.stdin)) as ConfigSources;
process.stdout.write(JSON.stringify(checkConfig(sources)));
