import { createServer, type Server } from 'node:net';
import { delay } from '@hawser/seams';

/** Of the abstract namespace: it has no file, and goes with the process that holds it. */
const ADDRESS = '\0hawser-containerd-sites';
const DEADLINE_MS = 60_000;
const RETRY_MS = 20;

/**
 * Does some work while no other process of this machine does such work: opening, sweeping and closing sites.
 * @throws Error when another one holds the lock for a minute
 */
export async function withMachineLock<T>(work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  let lock = await tryLock();
  while (lock === undefined) {
    if (performance.now() > deadlineMs)
      throw new Error('another process has opened or closed a site for a minute');
    await delay(RETRY_MS);
    lock = await tryLock();
  }
  const held = lock;
  try {
    return await work();
  } finally {
    await new Promise((resolve) => held.close(resolve));
  }
}

function tryLock(): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: ADDRESS }, () => resolve(server));
  });
}
