import type { PushMethod } from './objects.ts';
import { below, described, type Fields, type ProblemList } from './problem-list.ts';

const TIMEOUT_MS_MAX = 600_000;
const TOPIC_BYTES_MAX = 1024;
const HTTP = ['http:', 'https:'];
/** What the clients of mappers can reach; `tcp` and `ssl` are as KubeEdge writes them. */
const MQTT = ['mqtt:', 'mqtts:', 'tcp:', 'ssl:', 'tls:', 'ws:', 'wss:'];

/** Where a mapper sends readings; what is wrong with it becomes problems. */
export function readPushMethod(list: ProblemList, value: unknown, path: string): PushMethod | undefined {
  const fields = list.object(value, path);
  if (fields === undefined) return undefined;
  refuse(
    list,
    fields,
    path,
    'dbMethod',
    'Databases are not written to: write a mapper, or an application on the bus.',
  );
  refuse(
    list,
    fields,
    path,
    'anomalyDetection',
    'Anomalies are not looked for: write an application on the bus.',
  );
  const before = list.problems.length;
  const http = list.object(fields['http'], below(path, 'http'));
  if (http !== undefined) checkHttp(list, http, below(path, 'http'));
  const mqtt = list.object(fields['mqtt'], below(path, 'mqtt'));
  if (mqtt !== undefined) checkMqtt(list, mqtt, below(path, 'mqtt'));
  const otel = list.object(fields['otel'], below(path, 'otel'));
  if (otel !== undefined) {
    const remedy = 'Write it as https://localhost:4318/v1/metrics.';
    address(list, otel['endpointURL'], below(below(path, 'otel'), 'endpointURL'), HTTP, remedy);
  }
  if (list.problems.length > before) return undefined;
  return { ...(http && { http }), ...(mqtt && { mqtt }), ...(otel && { otel }) };
}

function refuse(list: ProblemList, fields: Fields, path: string, name: string, remedy: string): void {
  if (fields[name] !== undefined && fields[name] !== null)
    list.add(below(path, name), 'is not supported', remedy);
}

function checkHttp(list: ProblemList, http: Fields, path: string): void {
  const at = below(path, 'hostName');
  const remedy = 'Write the name or address of a host, or http://name; the port goes into `port`.';
  const host = list.string(http['hostName'], at);
  if (host === undefined || host === '') {
    if (http['hostName'] === undefined || http['hostName'] === null || host === '')
      list.add(at, 'must be given', remedy);
  } else {
    address(list, /^[a-z][a-z0-9+.-]*:\/\//i.test(host) ? host : `http://${host}`, at, HTTP, remedy);
  }
  list.integer(http['port'], below(path, 'port'), 1, 65535);
  list.integer(http['timeout'], below(path, 'timeout'), 1, TIMEOUT_MS_MAX, 'milliseconds');
  const requestPath = list.string(http['requestPath'], below(path, 'requestPath'));
  if (requestPath !== undefined && /[\s#]/.test(requestPath)) {
    const message = `must be a path without spaces or "#", is ${described(requestPath)}`;
    list.add(below(path, 'requestPath'), message, 'Write it as /v1/readings.');
  }
}

/** Without an address it is the event bus; there the topic may be left out as well: it is that of telemetry. */
function checkMqtt(list: ProblemList, mqtt: Fields, path: string): void {
  const toBus = isLeftOut(mqtt['address']);
  if (!toBus)
    address(list, mqtt['address'], below(path, 'address'), MQTT, 'Write it as mqtt://127.0.0.1:1883.');
  list.integer(mqtt['qos'], below(path, 'qos'), 0, 2);
  list.boolean(mqtt['retained'], below(path, 'retained'));
  const at = below(path, 'topic');
  const topic = list.string(mqtt['topic'], at);
  if (topic === undefined || topic === '') {
    if (!toBus && isLeftOut(mqtt['topic'])) list.add(at, 'must be given', 'Write the topic to publish to.');
  } else if (/[+#\0]/.test(topic) || Buffer.byteLength(topic) > TOPIC_BYTES_MAX) {
    const message = `must be a topic without "+" and "#", at most ${String(TOPIC_BYTES_MAX)} bytes, is ${described(topic)}`;
    list.add(at, message, 'Write the one topic to publish to.');
  }
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function address(
  list: ProblemList,
  value: unknown,
  path: string,
  schemes: readonly string[],
  remedy: string,
): void {
  const text = list.string(value, path);
  if (text === undefined || text === '') {
    if (isLeftOut(value)) list.add(path, 'must be given', remedy);
    return;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.includes(url.protocol) || url.hostname === '') {
    const names = schemes.map((scheme) => `${scheme}//`).join(', ');
    list.add(path, `must be an address with ${names}, is ${described(text)}`, remedy);
  }
}
