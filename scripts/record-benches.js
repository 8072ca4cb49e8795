// node scripts/record-benches.js [REMARK] < LINES: keeps what benches have printed in docs/benchmarks, and writes the page anew.
import { text } from 'node:stream/consumers';
import { recordBenches } from './docs/bench-records.js';
import { mustRun, say } from './run.js';

const { file, count } = recordBenches(await text(process.stdin), process.argv[2]);
say(`${count} figures are in ${file}`);
await mustRun('writing the page', process.execPath, ['scripts/docs.js']);
