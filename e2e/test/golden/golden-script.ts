import { readFile, writeFile } from 'node:fs/promises';
import { decodeFrame, type Frame } from '@hawser/proto';
import { packJson, type OutboxMessage } from '@hawser/sync';

/** One step of a recorded session. Frames are hex, without their length. */
export type GoldenStep =
  | { readonly do: 'open' }
  | { readonly do: 'put'; readonly resource: string; readonly object: object }
  | { readonly do: 'remove'; readonly key: string }
  | { readonly do: 'say'; readonly kind: string; readonly key: string; readonly body: object }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'edge'; readonly frame: string }
  | { readonly do: 'hub'; readonly frame: string }
  | { readonly do: 'expect'; readonly what: string; readonly outcome: GoldenOutcome };

/** What is so when all before has been said. */
export interface GoldenOutcome {
  /** Hashes by key, at the edge. */
  readonly objects?: Readonly<Record<string, string>>;
  readonly synced?: boolean;
  readonly held?: number;
  /** Counters of the publisher since the beginning. */
  readonly sent?: Readonly<Record<string, number>>;
  /** Counters of the outbox. */
  readonly outbox?: Readonly<Record<string, number>>;
  readonly waiting?: number;
}

/** A step of the script that a recording goes by: what happens beside the frames; a text is where it is looked at. */
export type GoldenAction = Exclude<GoldenStep, { readonly do: 'edge' | 'hub' | 'expect' }> | string;

const FOLDER = new URL('../../../test/golden/', import.meta.url);

export async function readGolden(name: string): Promise<readonly GoldenStep[]> {
  return JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as GoldenStep[];
}

export async function writeGolden(name: string, steps: readonly GoldenStep[]): Promise<void> {
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`);
  await writeFile(new URL(name, FOLDER), `[\n${lines.join(',\n')}\n]\n`);
}

export function frameOf(hex: string): Frame {
  return decodeFrame(Buffer.from(hex, 'hex'));
}

/** What an outbox is given for a `say`. */
export function messageOf({ kind, key, body }: Extract<GoldenStep, { do: 'say' }>): OutboxMessage {
  return { kind, key, body: packJson(body), keep: kind !== 'event' };
}

/** Lets everything that can happen without time happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) await new Promise(setImmediate);
}
