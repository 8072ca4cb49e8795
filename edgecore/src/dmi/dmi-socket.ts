import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { prepareSocketFile, protectSocketFile } from '../admin/socket-file.ts';
import { EdgeCoreError } from '../errors.ts';

/** All but the owner are kept out from the first moment: the folder may be one that all may enter. */
const UMASK = 0o177;

/** Has a server listen on a socket that only the owner may open. @throws EdgeCoreError `ERR_EDGECORE_DMI` */
export async function listenPrivately(server: Server, socket: string): Promise<void> {
  try {
    await prepareSocketFile(socket);
    const listening = once(server, 'listening');
    const umask = process.umask(UMASK);
    try {
      server.listen(socket); // binds before it returns
    } finally {
      process.umask(umask);
    }
    await listening;
    await protectSocketFile(socket);
  } catch (error) {
    server.close();
    throw dmiError(socket, error);
  }
}

/** Stops listening, and takes the file away. Connections are ended by whoever has them. */
export async function stopListening(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(socket, { force: true });
}

function dmiError(socket: string, error: unknown): EdgeCoreError {
  const cause = error instanceof EdgeCoreError ? (error.cause ?? error) : error;
  const message = `the DMI socket ${socket} cannot be used: ${(cause as Error).message}`;
  return new EdgeCoreError('ERR_EDGECORE_DMI', message, { cause, about: socket });
}
