import { CriLogFormat } from './cri-log-format.ts';
import { LogFolder } from './log-folder.ts';
import { blocksOf } from './log-blocks.ts';
import { findLogStart } from './log-start.ts';

/** Source: kubelet, container/runtime.go (MaxContainerTerminationMessageLogLines, …LogLength). */
const MAX_LINES = 80;
const MAX_BYTES = 2048;

/**
 * The end of a container's output, as the termination message of one that failed and left none
 * (`terminationMessagePolicy: FallbackToLogsOnError`): the last 80 lines, of them the last 2048 bytes.
 * @param logPath `RuntimeContainer.logPath`
 * @returns empty where there is no log
 * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG` where the log cannot be read
 */
export async function tailOfLog(logPath: string): Promise<string> {
  const folder = await LogFolder.openIfThere(logPath);
  if (folder === undefined) return '';
  try {
    const start = await findLogStart(folder, { tailLines: MAX_LINES });
    const format = new CriLogFormat({}, start.skipLines);
    let tail: Buffer = Buffer.alloc(0);
    let { offset } = start;
    try {
      for (const file of start.files) {
        for await (const block of blocksOf(file, offset)) {
          tail = lastBytes(Buffer.concat([tail, format.push(block)]));
        }
        format.breakLine();
        offset = 0;
      }
    } finally {
      for (const { handle } of start.files) await handle.close();
    }
    return tail.toString('utf8');
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
