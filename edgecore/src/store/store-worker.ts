// The thread that owns the database file, so that no flush ever holds up the event loop.
import { parentPort } from 'node:worker_threads';
import { collectGarbage } from '../memory-diet.ts';
import type { FromWorker, ToWorker } from './store-protocol.ts';
import { StoreService } from './store-service.ts';

let service: StoreService | undefined;

parentPort?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'open':
      service = new StoreService(message.settings, (said: FromWorker) => parentPort?.postMessage(said));
      if (!service.open()) parentPort?.close();
      return;
    case 'collect':
      collectGarbage(message.dropCode);
      return;
    case 'close':
      service?.close();
      parentPort?.close();
      return;
    default:
      service?.handle(message);
  }
});
