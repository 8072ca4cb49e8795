import { badRequest, field, invalid, type FieldError } from '@hawser/kube';

const STREAMS = ['All', 'Stderr', 'Stdout'];
const NOT_NEGATIVE = 'must be greater than or equal to 0';
const POSITIVE = 'must be greater than 0';
/** Source: Go time.RFC3339, which takes fractions of seconds when it reads. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * What a kubelet is asked for logs, out of what the client has asked.
 * Source: core/v1 PodLogOptions; kubernetes pkg/apis/core/validation ValidatePodLogOptions, pkg/registry/core/pod
 * LogLocation.
 * @throws StatusError BadRequest for what cannot be read, Invalid for what contradicts itself or is out of range
 */
export function logQuery(query: URLSearchParams, pod: string): URLSearchParams {
  const asked = new URLSearchParams();
  for (const name of ['follow', 'previous', 'timestamps'])
    if (isTrue(query.get(name))) asked.set(name, 'true');
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTime = time(query, 'sinceTime');
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const stream = query.get('stream') ?? 'All';
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0)
    errors.push(field.invalid('tailLines', tailLines, NOT_NEGATIVE));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(field.invalid('limitBytes', limitBytes, POSITIVE));
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    errors.push(field.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(field.invalid('sinceSeconds', sinceSeconds, POSITIVE));
  }
  if (!STREAMS.includes(stream)) errors.push(field.notSupported('stream', stream, STREAMS));
  else if (stream !== 'All' && tailLines !== undefined) {
    errors.push(field.forbidden('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors);
  for (const [name, value] of Object.entries({ sinceSeconds, sinceTime, tailLines, limitBytes })) {
    if (value !== undefined) asked.set(name, String(value));
  }
  if (stream !== 'All') asked.set('stream', stream);
  return asked;
}

/** What a kubelet is asked for exec and attach. Source: kubernetes pkg/registry/core/pod, streamParams. */
export function streamQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  const names = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' };
  for (const [from, to] of Object.entries(names)) if (isTrue(query.get(from))) asked.set(to, '1');
  for (const command of query.getAll('command')) asked.append('command', command);
  return asked;
}

/** What a kubelet is asked for a forwarded port: those that a WebSocket names; SPDY names them later. */
export function portForwardQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  const ports = query.getAll('ports').flatMap((value) => value.split(','));
  for (const port of ports) {
    if (!/^\d{1,5}$/.test(port))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(port)}: invalid syntax`);
  }
  if (ports.length > 0) asked.set('port', ports.join(','));
  return asked;
}

/** Source: k8s.io/apimachinery runtime, Convert_Slice_string_To_bool. */
function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function time(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (RFC3339.test(text) && !Number.isNaN(Date.parse(text.replace(',', '.')))) return text;
  const quoted = JSON.stringify(text);
  throw badRequest(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`);
}
