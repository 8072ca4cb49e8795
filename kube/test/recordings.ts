import { readFileSync } from 'node:fs';

/** One exchange with a real API server (kube-apiserver 1.36). */
export interface Exchange {
  readonly name: string;
  /** What the recorder says of it. */
  readonly note?: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly body?: unknown;
    readonly lines?: readonly { readonly type: string; readonly object: Readonly<Record<string, unknown>> }[];
  };
}

/** Which part of the API an exchange belongs to. */
export type RecordingFile = 'crd' | 'crud' | 'discovery' | 'list' | 'node' | 'patch' | 'table' | 'watch';

const loaded = new Map<RecordingFile, ReadonlyMap<string, Exchange>>();

/** All exchanges of a file, by name. */
export function recordings(file: RecordingFile): ReadonlyMap<string, Exchange> {
  let exchanges = loaded.get(file);
  if (exchanges === undefined) {
    // Compiled tests run from dist/test; the fixtures stay where they are.
    const url = new URL(`../../test/fixtures/kube-apiserver-1.36/${file}.json`, import.meta.url);
    const list = JSON.parse(readFileSync(url, 'utf8')) as Exchange[];
    exchanges = new Map(list.map((exchange) => [exchange.name, exchange]));
    loaded.set(file, exchanges);
  }
  return exchanges;
}

/** One exchange. @throws Error if there is none of that name. */
export function recording(file: RecordingFile, name: string): Exchange {
  const exchange = recordings(file).get(name);
  if (exchange === undefined) throw new Error(`no exchange ${name} in ${file}.json`);
  return exchange;
}
