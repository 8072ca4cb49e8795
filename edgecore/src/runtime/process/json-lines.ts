import type { Socket } from 'node:net';

/** A message that is longer ends the connection: whoever sends it is none of ours. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Reads JSON values from a connection, one a line. What is no JSON, or too long, ends the connection. */
export function readJsonLines(socket: Socket, onValue: (value: unknown) => void): void {
  let pieces: Buffer[] = [];
  let length = 0;
  const take = (): string => {
    const line = Buffer.concat(pieces).toString();
    pieces = [];
    length = 0;
    return line;
  };
  socket.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      pieces.push(chunk.subarray(from, at));
      from = at + 1;
      let value: unknown;
      try {
        value = JSON.parse(take());
      } catch {
        socket.destroy(new Error('what came is no JSON'));
        return;
      }
      onValue(value);
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES) socket.destroy(new Error('a message is too long'));
  });
}

/** Sends a JSON value. A connection that has ended takes nothing, which is no error here. */
export function writeJsonLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
