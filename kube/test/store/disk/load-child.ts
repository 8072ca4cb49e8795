// A process under write load, to be killed or recorded. Arguments: the database file; the file that acknowledgements
// are appended to, or `-` for standard output; the writers' first steps as JSON; the steps to take (absent: no end).
import { openSync, writeSync } from 'node:fs';
import { SqliteStore } from '../../../src/index.ts';
import { formatAcknowledgement, takeStep } from './ledger.ts';

const [, , file = '', target = '-', steps = '[]', limit] = process.argv;
const acknowledgements = target === '-' ? 1 : openSync(target, 'a');
const store = await SqliteStore.open({ path: file, historyEvents: 30 });

async function write(writer: number, from: number): Promise<void> {
  const to = limit === undefined ? Number.POSITIVE_INFINITY : from + Number(limit);
  for (let step = from + 1; step <= to; step += 1) {
    const version = await takeStep(store, writer, step);
    writeSync(acknowledgements, formatAcknowledgement({ writer, step, version }));
  }
}

try {
  await Promise.all((JSON.parse(steps) as number[]).map((from, writer) => write(writer, from)));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  writeSync(2, `${code ?? ''} ${message}`);
  process.exitCode = 3;
}
await store.close();
