// Started by load-config.ts: reads ConfigSources as JSON from standard input, writes CheckedConfig and a line end to
// standard output. Both at once, without the streams of Node.js, which take longer to load than this takes to run.
import { readFileSync, writeFileSync } from 'node:fs';
import { checkConfig, type ConfigSources } from './check-config.ts';

const [STANDARD_INPUT, STANDARD_OUTPUT] = [0, 1];

const sources = JSON.parse(readFileSync(STANDARD_INPUT, 'utf8')) as ConfigSources;
writeFileSync(STANDARD_OUTPUT, `${JSON.stringify(checkConfig(sources))}\n`);
