// A process that does what an edge does on a quiet day, for what it writes to be counted. Arguments: the data folder; a
// file in it that marks are appended to; the milliseconds to be idle.
import { appendFileSync } from 'node:fs';
import { delay } from '@hawser/seams';
import { EdgeStore } from '../../../src/index.ts';
import { podText } from './pod-text.ts';
import { put, SCOPE } from '../store-folder.ts';

const [, , dir = '', marks = '', idleMs = '0'] = process.argv;
const store = await EdgeStore.open({ dir, credentialsDir: '' });
const record = (n: number): { normalForm: number; stamp: Uint8Array } => ({
  normalForm: 1,
  stamp: Buffer.alloc(60, `${n}`),
});
const pods = Array.from({ length: 10 }, (_, n) => put(`pods/default/app-${n}`, podText(n, 0)));
await store.replica.apply(SCOPE, pods, record(0));

appendFileSync(marks, 'updates\n');
for (let n = 1; n <= 100; n += 1) {
  await store.replica.apply(SCOPE, [put(`pods/default/app-${n % 10}`, podText(n % 10, n))], record(n));
}
appendFileSync(marks, 'values\n');
for (let n = 1; n <= 100; n += 1) await store.state.set('outbox-order', Buffer.from(String(n)));
appendFileSync(marks, 'same\n');
for (let n = 1; n <= 100; n += 1) await store.state.set('outbox-order', Buffer.from('100'));
appendFileSync(marks, 'idle\n');
await delay(Number(idleMs));
appendFileSync(marks, 'end\n');
await store.close();
