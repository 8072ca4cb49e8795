import type { Sink, Source, Streams } from '../streams.ts';
import type { ExecChannel } from './exec-channel.ts';

/** Passes input, and the size of the terminal, on to a command; answers how to stop, which leaves the terminal as it was. */
export function connectInput(
  channel: ExecChannel,
  streams: Streams,
  wish: { readonly stdin: boolean; readonly tty: boolean },
): () => void {
  const undo: (() => void)[] = [];
  const { stdin, stdout } = streams;
  if (wish.stdin && stdin !== undefined) undo.push(passInput(channel, stdin, wish.tty));
  if (wish.tty) undo.push(followSize(channel, stdout));
  return () => {
    for (const each of undo.splice(0)) each();
  };
}

function passInput(channel: ExecChannel, stdin: Source, isRaw: boolean): () => void {
  const onData = (chunk: Buffer): void => {
    stdin.pause();
    void channel.write(chunk).then(() => stdin.resume());
  };
  const onEnd = (): void => channel.end();
  // Raw: keys such as Ctrl-C are the command's, not ours.
  if (isRaw) stdin.setRawMode?.(true);
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    if (isRaw) stdin.setRawMode?.(false);
    stdin.pause();
  };
}

function followSize(channel: ExecChannel, stdout: Sink): () => void {
  const tell = (): void => {
    const { columns, rows } = stdout;
    if (columns !== undefined && rows !== undefined) channel.resize({ columns, rows });
  };
  stdout.on?.('resize', tell);
  tell();
  return () => stdout.off?.('resize', tell);
}
