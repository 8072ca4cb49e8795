// A process under write load, to be killed or recorded. Arguments: the data folder; the file that acknowledgements are
// appended to, or `-` for standard output; the writers' first steps as JSON; the steps to take (absent: no end).
import { openSync, writeSync } from 'node:fs';
import { EdgeStore } from '../../../src/index.ts';
import { formatAcknowledgement, takeStep } from './ledger.ts';

const [, , dir = '', target = '-', steps = '[]', limit] = process.argv;
const acknowledgements = target === '-' ? 1 : openSync(target, 'a');
const store = await EdgeStore.open({ dir, credentialsDir: '' });
for (const { kind, message } of store.openReport.findings) writeSync(2, `${kind} ${message}\n`);

async function write(writer: number, from: number): Promise<void> {
  const to = limit === undefined ? Number.POSITIVE_INFINITY : from + Number(limit);
  for (let step = from + 1; step <= to; step += 1) {
    await takeStep(store, writer, step, (done) => writeSync(acknowledgements, formatAcknowledgement(done)));
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
