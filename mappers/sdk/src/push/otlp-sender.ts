import type { Logger } from '@hawser/seams';
import { parseValue } from '@hawser/devices';
import { shownUrl } from '../bus/mqtt-session.ts';
import { JsonPoster, verdictOf } from './http-post.ts';
import type { Reading } from './reading.ts';
import type { Sender } from './receiver.ts';

/** Types of properties that are numbers, or nearly so: OTLP has no others in metrics. */
export const OTLP_TYPES: ReadonlySet<string> = new Set(['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN']);

const INT64_MAX = 2n ** 63n - 1n;

/**
 * `pushMethod.otel`: metrics over OTLP/HTTP in JSON (OpenTelemetry protocol 1.x, opentelemetry-proto
 * `ExportMetricsServiceRequest`, with 64-bit numbers as text): a gauge for each property, named as it is, with the
 * attributes `device.namespace` and `device.name`. INT goes as `asInt`, BOOLEAN as 0 or 1.
 */
export class OtlpSender implements Sender {
  readonly shown: string;
  readonly batchMax = 500;
  readonly timeoutMs = 10_000;
  readonly #poster: JsonPoster;
  readonly #log: Logger;
  readonly #mapper: string;

  /** @param mapper its name, for `service.instance.id` */
  constructor(url: URL, mapper: string, log: Logger) {
    const target = new URL(url);
    // As the specification of exporters has it: an address without a path means the default one.
    if (target.pathname === '/') target.pathname = '/v1/metrics';
    this.shown = `${shownUrl(target.href)}${target.pathname}`;
    this.#poster = new JsonPoster(target);
    this.#mapper = mapper;
    this.#log = log;
  }

  async send(readings: readonly Reading[], signal: AbortSignal): Promise<number> {
    const answer = await this.#poster.post(JSON.stringify(metricsRequest(readings, this.#mapper)), signal);
    const refused = verdictOf(answer) === 'taken' ? rejectedPoints(answer.body) : readings.length;
    if (refused > 0) {
      const { status, body } = answer;
      this.#log.warn(
        { receiver: this.shown, status, answer: body.slice(0, 200), refused },
        'metrics are refused',
      );
    }
    return Math.min(refused, readings.length);
  }

  close(): Promise<void> {
    this.#poster.close();
    return Promise.resolve();
  }
}

/** The request as the protocol has it: one metric for each property, with its readings as data points. */
export function metricsRequest(readings: readonly Reading[], mapper: string): object {
  const metrics = new Map<string, { name: string; unit?: string; gauge: { dataPoints: object[] } }>();
  for (const reading of readings) {
    const { name, unit } = reading.property;
    const key = `${name} ${unit ?? ''}`;
    let metric = metrics.get(key);
    if (metric === undefined) {
      metric = { name: metricName(name), ...(unit !== undefined && { unit }), gauge: { dataPoints: [] } };
      metrics.set(key, metric);
    }
    metric.gauge.dataPoints.push(dataPoint(reading));
  }
  return {
    resourceMetrics: [
      {
        resource: {
          attributes: [attribute('service.name', 'hawser-mapper'), attribute('service.instance.id', mapper)],
        },
        scopeMetrics: [{ scope: { name: 'hawser' }, metrics: [...metrics.values()] }],
      },
    ],
  };
}

function dataPoint({ device, property, text, atMs }: Reading): object {
  return {
    attributes: [
      attribute('device.namespace', device.namespace),
      attribute('device.name', device.name),
      attribute('device.property', property.name),
    ],
    timeUnixNano: String(BigInt(Math.round(atMs)) * 1_000_000n),
    ...numberOf(property.type, text),
  };
}

function numberOf(type: Reading['property']['type'], text: string): { asInt: string } | { asDouble: number } {
  const value = parseValue(type, text);
  if (typeof value === 'boolean') return { asInt: value ? '1' : '0' };
  if (type === 'INT') {
    // Unsigned 64-bit numbers have no place in sfixed64.
    return BigInt(text) > INT64_MAX ? { asDouble: Number(text) } : { asInt: text };
  }
  return { asDouble: Number(text) };
}

function attribute(key: string, text: string): object {
  return { key, value: { stringValue: text } };
}

/** Names of instruments: a letter, then letters, digits, `_ . - /`, 255 at most (metrics API, "Instrument name syntax"). */
function metricName(property: string): string {
  const name = property.replace(/[^A-Za-z0-9_.\-/]/g, '_').slice(0, 255);
  return /^[A-Za-z]/.test(name) ? name : `p_${name}`.slice(0, 255);
}

/** `partialSuccess.rejectedDataPoints` of the answer; 64-bit numbers may come as text. */
function rejectedPoints(body: string): number {
  if (body === '') return 0;
  try {
    const answer = JSON.parse(body) as { partialSuccess?: { rejectedDataPoints?: unknown } } | null;
    const rejected = Number(answer?.partialSuccess?.rejectedDataPoints ?? 0);
    return Number.isFinite(rejected) ? rejected : 0;
  } catch {
    // The status said that it was taken: what else a proxy has written is not for us.
    return 0;
  }
}
