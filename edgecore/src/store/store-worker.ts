// The thread that owns the database file, so that no flush ever holds up the event loop.
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerSettings } from './store-protocol.ts';
import { StoreService } from './store-service.ts';

const service = new StoreService(workerData as WorkerSettings, (message: FromWorker) =>
  parentPort?.postMessage(message),
);

parentPort?.on('message', (message: ToWorker) => {
  if (message.type !== 'close') {
    service.handle(message);
    return;
  }
  service.close();
  parentPort?.close();
});

if (!service.open()) parentPort?.close();
