import type { LogQuery, LogStream } from '../container-logs/log-query.ts';
import { KubeletFailure } from './kubelet-failure.ts';

/** What a request for logs asks for. */
export interface LogOptions {
  /** The container before the present one. */
  readonly previous: boolean;
  readonly query: LogQuery;
}

/** Source: Go, strconv.ParseInt, as far as the API uses it. */
const INTEGER = /^[+-]?\d{1,18}$/;
/** Source: RFC 3339; JavaScript alone reads more than that. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const STREAMS: readonly string[] = ['All', 'Stdout', 'Stderr'] satisfies LogStream[];

/**
 * Reads the query of a request for logs, and checks it. Source: core/v1 PodLogOptions, its decoding from a query, and
 * validation.ValidatePodLogOptions; kubelet, getContainerLogs (`tail` is an old name of `tailLines`).
 * @param nowMs wall time: `sinceSeconds` is counted from here
 * @throws KubeletFailure 400 for what cannot be read, 422 for values that are not valid
 */
export function readLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const tail = query.get('tail') ?? '';
  const tailLines =
    tail === '' ? integer(query, 'tailLines') : tail === 'all' ? undefined : integer(query, 'tail');
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTimeMs = time(query, 'sinceTime');
  const limitBytes = integer(query, 'limitBytes');
  const stream = query.get('stream') ?? 'All';
  require(tailLines === undefined || tailLines >= 0, 'tailLines', 'must be greater than or equal to 0');
  require(limitBytes === undefined || limitBytes >= 1, 'limitBytes', 'must be greater than 0');
  require(sinceSeconds === undefined || sinceSeconds >= 1, 'sinceSeconds', 'must be greater than 0');
  require(sinceSeconds === undefined ||
    sinceTimeMs ===
      undefined, 'sinceSeconds', 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  require(STREAMS.includes(
    stream,
  ), 'stream', `supported values: ${STREAMS.map((name) => `"${name}"`).join(', ')}`);
  require(stream === 'All' ||
    tailLines === undefined, 'tailLines', '`tailLines` and specific `stream` are mutually exclusive for now');
  const sinceMs = sinceTimeMs ?? (sinceSeconds === undefined ? undefined : nowMs - sinceSeconds * 1000);
  return {
    previous: flag(query, 'previous'),
    query: {
      follow: flag(query, 'follow'),
      timestamps: flag(query, 'timestamps'),
      stream: stream as LogStream, // it is one of them, see above
      ...(tailLines !== undefined && { tailLines }),
      ...(limitBytes !== undefined && { limitBytes }),
      ...(sinceMs !== undefined && { sinceMs }),
    },
  };
}

/** Source: apimachinery, runtime.Convert_Slice_string_To_bool: everything but these is true. */
function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (INTEGER.test(text)) return Number(text);
  throw refused(400, `Unable to decode query. ${name}: not a whole number`);
}

/** Source: apimachinery, meta/v1 Time.UnmarshalQueryParameter. */
function time(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '' || text === 'null') return undefined;
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw refused(400, `Unable to decode query. ${name}: not a time of RFC 3339`);
}

function require(isValid: boolean, field: string, problem: string): void {
  if (!isValid) throw refused(422, `Invalid request. ${field}: ${problem}`);
}

/** Source: kubelet, getContainerLogs: JSON in the text. The words after the first sentence are ours. */
function refused(status: number, message: string): KubeletFailure {
  return new KubeletFailure(status, JSON.stringify({ message }));
}
