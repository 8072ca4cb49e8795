import { CriLogFormat } from './cri-log-format.ts';
import { LogFolder } from './log-folder.ts';
import { findTailStart } from './tail-start.ts';

/** Source: kubelet, container/runtime.go (MaxContainerTerminationMessageLogLines, …LogLength). */
const MAX_LINES = 80;
const MAX_BYTES = 2048;
const BLOCK_BYTES = 64 * 1024;

/**
 * The end of a container's output, as the termination message of one that failed and left none
 * (`terminationMessagePolicy: FallbackToLogsOnError`): the last 80 lines, of them the last 2048 bytes.
 * @param logPath `RuntimeContainer.logPath`
 * @returns empty where there is no log
 * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG` where the log cannot be read
 */
export async function tailOfLog(logPath: string): Promise<string> {
  const folder = await LogFolder.open(logPath);
  try {
    const file = await folder.openFile(folder.logName);
    if (file === undefined) return '';
    try {
      const { size } = await file.handle.stat();
      const start = await findTailStart(file.handle, size, MAX_LINES, 'All');
      const format = new CriLogFormat({});
      const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
      let tail: Buffer = Buffer.alloc(0);
      for (let at = start.offset; at < size;) {
        const { bytesRead } = await file.handle.read(buffer, 0, Math.min(BLOCK_BYTES, size - at), at);
        if (bytesRead === 0) break;
        at += bytesRead;
        tail = lastBytes(Buffer.concat([tail, format.push(buffer.subarray(0, bytesRead))]));
      }
      return tail.toString('utf8');
    } finally {
      await file.handle.close();
    }
  } finally {
    await folder.close();
  }
}

/** Copied, so that the rest is not kept; a character that was cut apart is left out. */
function lastBytes(bytes: Buffer): Buffer {
  if (bytes.length <= MAX_BYTES) return bytes;
  let start = bytes.length - MAX_BYTES;
  for (let cut = 0; cut < 3 && isContinuation(bytes[start]); cut++) start += 1;
  return Buffer.from(bytes.subarray(start));
}

/** Source: RFC 3629, section 3. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
