import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';

/** Where an answer came from; `none`: there is no cloud, or the request was refused before it was known. */
export type AnswerSource = 'local' | 'cloud' | 'remembered' | 'none';

/** What gauges of the local API are read from. */
export interface LocalApiReadings {
  /** Watches that run, by where they are answered from. */
  watches(): Readonly<Record<'local' | 'cloud', number>>;
  /** Answers of the API server that are on the disk. */
  remembered(): { readonly count: number; readonly bytes: number };
}

/** What is counted of one request. */
export interface LocalApiRequest {
  readonly verb: string;
  /** '' for what is no resource, and for one that is not known here. */
  readonly resource: string;
  readonly code: number;
  readonly source: AnswerSource;
}

/** Metrics of the local API. */
export class LocalApiMetrics {
  readonly #requests: Counter;

  constructor(registry: Registry, read: LocalApiReadings) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'hawser_local_api_requests_total',
      help: 'Requests of programs at the edge, by verb, resource, HTTP status code and where the answer came from: local, cloud (forwarded), remembered (what the API server has said of itself), none.',
      labelNames: ['verb', 'resource', 'code', 'source'],
      registers,
    });
    const watches: Gauge = new Gauge({
      name: 'hawser_local_api_watches',
      help: 'Watches of programs at the edge that run, by where they are answered from.',
      labelNames: ['source'],
      registers,
      collect: () => {
        for (const [source, value] of Object.entries(read.watches())) watches.set({ source }, value);
      },
    });
    const remembered: Gauge = new Gauge({
      name: 'hawser_local_api_remembered_answers',
      help: 'Answers of the API server about itself that are kept on the disk for when it cannot be reached.',
      registers,
      collect: () => remembered.set(read.remembered().count),
    });
    const bytes: Gauge = new Gauge({
      name: 'hawser_local_api_remembered_bytes',
      help: 'What these answers take on the disk.',
      registers,
      collect: () => bytes.set(read.remembered().bytes),
    });
  }

  /** Counts an answered request. */
  request({ verb, resource, code, source }: LocalApiRequest): void {
    this.#requests.inc({ verb, resource, code: String(code), source });
  }
}
