import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { RuntimeContainer, RuntimePod } from '../runtime/container-runtime.ts';
import { statusOf, type PodStatus } from './pod-status-types.ts';

/** The most that a container's file may say, bytes. Source: kubelet, MaxContainerTerminationMessageLength. */
const MOST_BYTES = 4096;

/** The end of a container's log as its last words: `tailOfLog`. */
export type LogTail = (path: string) => Promise<string>;

/**
 * Reads what containers have left as their last words: their file (`terminationMessagePath`), or the end of their log
 * where it is empty and the policy says so. Once for each container. Source: kubelet, getPodContainerStatuses.
 */
export class TerminationMessages {
  readonly #logTail: LogTail;
  #messages = new Map<string, string>();

  constructor(logTail: LogTail) {
    this.#logTail = logTail;
  }

  /** By id, of those whose end the last status does not tell of. Never rejects. */
  async of(
    runtime: RuntimePod | undefined,
    previous: PodStatus | undefined,
  ): Promise<ReadonlyMap<string, string>> {
    const messages = new Map<string, string>();
    for (const container of runtime?.containers ?? []) {
      if (container.state !== 'exited' || isTold(container, previous)) continue;
      messages.set(container.id, this.#messages.get(container.id) ?? (await this.#read(container)));
    }
    this.#messages = messages;
    return messages;
  }

  async #read({ notes, exitCode, reason, logPath }: RuntimeContainer): Promise<string> {
    const fromFile = await readFileTail(notes.terminationMessageFile);
    // What could not be started has no log.
    const fallsBack =
      notes.terminationMessagePolicy === 'FallbackToLogsOnError' &&
      exitCode !== 0 &&
      reason !== 'ContainerCannotRun';
    if (fromFile !== '' || !fallsBack || logPath === '') return fromFile;
    try {
      return await this.#logTail(logPath);
    } catch (error) {
      return `Error on reading termination message from logs: ${(error as Error).message}`;
    }
  }
}

function isTold({ id, name }: RuntimeContainer, previous: PodStatus | undefined): boolean {
  const before = statusOf(previous, name);
  return [before?.state.terminated, before?.lastState.terminated].some(
    (terminated) => terminated?.containerID?.endsWith(`://${id}`) === true,
  );
}

async function readFileTail(path: string | undefined): Promise<string> {
  if (path === undefined) return '';
  let file: FileHandle | undefined;
  try {
    // The container could write to it: no link is followed, nothing waits for a pipe.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats: Stats = await file.stat();
    if (!stats.isFile()) return `Error on reading termination log ${path}: it is no file`;
    const length = Math.min(stats.size, MOST_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, stats.size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? '' : `Error on reading termination log ${path}: ${message}`;
  } finally {
    await file?.close();
  }
}
