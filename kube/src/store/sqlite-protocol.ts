/** One row of the log: one state of one object. */
export interface LogRow {
  readonly version: number;
  /** The version that it replaced; 0: none. */
  readonly previous: number;
  readonly deleted: boolean;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** The object as JSON. */
  readonly body: string;
}

/** The counters of a file. */
export interface StoredState {
  /** The newest version ever given out. */
  readonly revision: number;
  /** The log is complete after this version. */
  readonly compacted: number;
}

/** What one transaction does. */
export interface WriteBatch {
  readonly rows: readonly LogRow[];
  /** Versions of rows that neither an object nor the history needs any more. */
  readonly drop: readonly number[];
  readonly state: StoredState;
}

/** What the worker is told, and does in the order sent. */
export type ToWorker =
  | { readonly type: 'write'; readonly batch: WriteBatch }
  | { readonly type: 'backup'; readonly path: string }
  | { readonly type: 'close' };

/** An error, as it crosses the threads. */
export interface WorkerFailure {
  readonly code: string;
  readonly message: string;
}

/** What the worker says. Opening: `opened`, `rows`…, `ready`, or `unusable`. Then one answer for each batch and backup. */
export type FromWorker =
  | { readonly type: 'opened'; readonly state: StoredState }
  | { readonly type: 'rows'; readonly rows: readonly LogRow[] }
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly failure: WorkerFailure }
  | { readonly type: 'done' }
  | { readonly type: 'rejected'; readonly failure: WorkerFailure };

/** `workerData`. */
export interface WorkerSettings {
  readonly path: string;
  readonly limitBytes: number;
}
