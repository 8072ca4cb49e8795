import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { EdgeCoreError } from '../errors.ts';

const PRIVATE_FOLDER = 0o700;
const PRIVATE_SOCKET = 0o600;
/** How long an edgecore on the same socket has to answer, milliseconds. A local connect takes none at all. */
const ANSWER_MS = 1_000;

/**
 * Makes a place for a socket: the folder is there and private, and a socket that a process left behind is gone.
 * A folder that was there keeps its mode: it may be shared, as /run is.
 * @throws EdgeCoreError `ERR_EDGECORE_ADMIN` where somebody listens there, or something else has the name
 */
export async function prepareSocketFile(socket: string): Promise<void> {
  try {
    await mkdir(path.dirname(socket), { recursive: true, mode: PRIVATE_FOLDER });
    const found = await lstat(socket).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) return;
    if (!found.isSocket()) throw new Error('the file is there, and is no socket');
    if (await isAnswered(socket)) throw new Error('another edgecore listens on it');
    await rm(socket, { force: true });
  } catch (cause) {
    throw adminError(socket, cause);
  }
}

/** Lets nobody but the owner open it. The folder has kept others out until now. */
export async function protectSocketFile(socket: string): Promise<void> {
  try {
    await chmod(socket, PRIVATE_SOCKET);
  } catch (cause) {
    throw adminError(socket, cause);
  }
}

function isAnswered(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ path: socket });
    const settle = (answered: boolean): void => {
      connection.destroy();
      resolve(answered);
    };
    connection.setTimeout(ANSWER_MS, () => settle(true)); // it took the connection, or its queue is full
    connection.on('connect', () => settle(true));
    connection.on('error', () => settle(false));
  });
}

/** The error of a socket that cannot be used. */
export function adminError(socket: string, cause: unknown): EdgeCoreError {
  const message = `the admin socket ${socket} cannot be used: ${(cause as Error).message}`;
  return new EdgeCoreError('ERR_EDGECORE_ADMIN', message, { cause, about: socket });
}
