import type { ContainerProcess } from './container-process.ts';
import type { Launch } from './launch.ts';

interface Wanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** What a stream leads to. */
export type StreamTarget =
  | (Wanted & {
      readonly kind: 'exec';
      readonly launch: Launch;
      /** For terminals: undefined where this machine has none. */
      readonly programs: { readonly script: string | undefined; readonly stty: string | undefined };
    })
  | (Wanted & { readonly kind: 'attach'; readonly process: ContainerProcess })
  | { readonly kind: 'port-forward'; readonly ports: readonly number[] };
