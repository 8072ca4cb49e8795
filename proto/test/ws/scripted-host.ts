import { MuxStream, type MuxStreamHost } from '../../src/transport/mux/mux-stream.ts';

/** A {@link MuxStreamHost} that notes what its streams ask for. */
export class ScriptedHost implements MuxStreamHost {
  readonly ready: MuxStream[] = [];
  readonly grants: { readonly stream: MuxStream; readonly credit: number }[] = [];
  readonly resets: MuxStream[] = [];
  readonly done: MuxStream[] = [];
  onReady: (stream: MuxStream) => void = () => {};

  /** A stream of this host. Default window: 1024 bytes. */
  stream(id = 1, windowBytes = 1024): MuxStream {
    return new MuxStream(this, id, 'test', windowBytes);
  }

  streamReady(stream: MuxStream): void {
    this.ready.push(stream);
    this.onReady(stream);
  }

  grantWindow(stream: MuxStream, credit: number): void {
    this.grants.push({ stream, credit });
  }

  streamReset(stream: MuxStream): void {
    this.resets.push(stream);
  }

  streamDone(stream: MuxStream): void {
    this.done.push(stream);
  }
}
