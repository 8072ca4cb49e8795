// The thread that owns the database file, so that no flush ever holds up the event loop.
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteFile } from './sqlite-file.ts';
import type { FromWorker, LogRow, ToWorker, WorkerFailure, WorkerSettings } from './sqlite-protocol.ts';

/** Rows in one message while loading. */
const CHUNK_ROWS = 256;

const { path, limitBytes } = workerData as WorkerSettings;
const file = new SqliteFile(path, limitBytes);

function say(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function failureOf(error: unknown): WorkerFailure {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  return { code: 'code' in error ? String(error.code) : '', message: error.message };
}

function load(): void {
  file.open();
  say({ type: 'opened', state: file.state() });
  let chunk: LogRow[] = [];
  for (const row of file.rows()) {
    chunk.push(row);
    if (chunk.length === CHUNK_ROWS) {
      say({ type: 'rows', rows: chunk });
      chunk = [];
    }
  }
  say({ type: 'rows', rows: chunk });
  say({ type: 'ready' });
}

function finish(): void {
  file.close();
  parentPort?.close();
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'close') {
    finish();
    return;
  }
  try {
    if (message.type === 'write') file.write(message.batch);
    else file.backup(message.path);
    say({ type: 'done' });
  } catch (error) {
    say({ type: 'rejected', failure: failureOf(error) });
  }
});

try {
  load();
} catch (error) {
  say({ type: 'unusable', failure: failureOf(error) });
  finish();
}
