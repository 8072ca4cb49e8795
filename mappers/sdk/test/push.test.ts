import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BoundDevice, PropertyType, PushMethod, TelemetryMessage } from '@hawser/devices';
import { seededRandom, silentLogger, systemClock } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { PushRouter } from '../src/push/push-router.ts';
import { Receiver, type Sender } from '../src/push/receiver.ts';
import type { Reading } from '../src/push/reading.ts';
import { boundDevice, TestBus } from '../testing/index.ts';

/** A server that keeps what it gets, and answers as it is told. */
class TestReceiver {
  readonly bodies: unknown[] = [];
  readonly paths: string[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    response.writeHead(200).end('{}');
  readonly #server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      this.bodies.push(JSON.parse(text));
      this.paths.push(
        `${request.method ?? ''} ${request.url ?? ''} ${request.headers['content-type'] ?? ''}`,
      );
      this.answer(request, response);
    });
  });
  port = 0;

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('push', () => {
  let server: TestReceiver;
  let bus: TestBus;
  let router: PushRouter;

  beforeEach(async () => {
    server = new TestReceiver();
    await server.listen();
    bus = new TestBus();
    bus.start([], { onUp: () => {}, onDown: () => {}, onMessage: () => {} });
    bus.connect();
    router = new PushRouter({
      bus,
      log: silentLogger,
      clock: systemClock,
      random: seededRandom(3),
      mapper: 'mem',
    });
  });
  afterEach(async () => {
    await router.stop();
    await server.close();
  });

  const deviceWith = (push: PushMethod, type: PropertyType = 'DOUBLE', unit = 'bar'): BoundDevice =>
    boundDevice({
      name: 'press',
      protocol: 'memory',
      properties: [{ name: 'pressure', type, unit, push, reportCycleMs: 1000, collectCycleMs: 1000 }],
    });
  const http = (): PushMethod => ({
    http: { hostName: '127.0.0.1', port: server.port, requestPath: '/in?from=edge' },
  });
  const otel = (): PushMethod => ({ otel: { endpointURL: `http://127.0.0.1:${server.port}` } });
  const message = (value: string, timestamp: number): TelemetryMessage => ({
    deviceName: 'press',
    propertyName: 'pressure',
    value,
    type: 'DOUBLE',
    namespace: 'default',
    timestamp,
  });

  it('posts readings as a JSON list, several together', async () => {
    const [sink] = router.sinksOf(deviceWith(http()));
    sink?.offer('1.5', 1_000);
    sink?.offer('1.6', 2_000);
    await eventually('it arrives', () => server.bodies.length > 0);
    assert.deepEqual(server.bodies, [[message('1.5', 1_000), message('1.6', 2_000)]]);
    assert.deepEqual(server.paths, ['POST /in?from=edge application/json']);
    assert.deepEqual(router.summaries(), [
      { receiver: `http://127.0.0.1:${server.port}/in`, sent: 2, dropped: 0, waiting: 0 },
    ]);
  });

  it('takes at most one reading in a report cycle, and bears a clock that is set back', async () => {
    const [sink] = router.sinksOf(deviceWith(http()));
    for (const atMs of [10_000, 10_100, 10_499, 10_990, 11_980, 500, 900]) sink?.offer('1', atMs);
    await eventually('it arrives', () => server.bodies.length > 0);
    assert.deepEqual(
      (server.bodies[0] as TelemetryMessage[]).map(({ timestamp }) => timestamp),
      [10_000, 10_990, 11_980, 500],
    );
  });

  it('says metrics as OTLP has them in JSON', async () => {
    const sinks = [
      ...router.sinksOf(deviceWith(otel())),
      ...router.sinksOf(deviceWith(otel(), 'INT', 'items')),
      ...router.sinksOf(deviceWith(otel(), 'BOOLEAN', '1')),
    ];
    ['1.5', '9223372036854775807', 'true'].forEach((text, at) => sinks[at]?.offer(text, 1_700_000_000_123));
    await eventually('it arrives', () => server.bodies.length > 0);
    assert.deepEqual(server.paths, ['POST /v1/metrics application/json']);
    const attributes = [
      { key: 'device.namespace', value: { stringValue: 'default' } },
      { key: 'device.name', value: { stringValue: 'press' } },
      { key: 'device.property', value: { stringValue: 'pressure' } },
    ];
    const point = (value: object) => ({ attributes, timeUnixNano: '1700000000123000000', ...value });
    assert.deepEqual(server.bodies, [
      {
        resourceMetrics: [
          {
            resource: {
              attributes: [
                { key: 'service.name', value: { stringValue: 'hawser-mapper' } },
                { key: 'service.instance.id', value: { stringValue: 'mem' } },
              ],
            },
            scopeMetrics: [
              {
                scope: { name: 'hawser' },
                metrics: [
                  { name: 'pressure', unit: 'bar', gauge: { dataPoints: [point({ asDouble: 1.5 })] } },
                  {
                    name: 'pressure',
                    unit: 'items',
                    gauge: { dataPoints: [point({ asInt: '9223372036854775807' })] },
                  },
                  { name: 'pressure', unit: '1', gauge: { dataPoints: [point({ asInt: '1' })] } },
                ],
              },
            ],
          },
        ],
      },
    ]);
  });

  it('counts what OTLP takes in part, and what has no place in it', async () => {
    server.answer = (_request, response) =>
      response.writeHead(200).end('{"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"old"}}');
    assert.deepEqual(router.sinksOf(deviceWith(otel(), 'STRING')), [undefined]);
    const [sink] = router.sinksOf(deviceWith(otel()));
    sink?.offer('1', 1_000);
    sink?.offer('2', 2_000);
    await eventually('it arrives', () => router.dropped === 1);
    assert.equal(router.summaries()[0]?.sent, 1);
  });

  it('publishes to the event bus where no broker is named', async () => {
    const [telemetry] = router.sinksOf(deviceWith({ mqtt: {} }));
    const [own] = router.sinksOf(deviceWith({ mqtt: { topic: 'plant/press', qos: 2, retained: true } }));
    telemetry?.offer('1', 1_000);
    own?.offer('2', 1_000);
    await eventually('it arrives', () => bus.published.length === 2);
    assert.deepEqual(bus.published, [
      // The first to a topic is acknowledged, whatever its QoS: whether the mapper may publish there is not known before.
      { topic: '$ke/events/device/press/data/update', message: message('1', 1_000), retain: false, qos: 1 },
      { topic: 'plant/press', message: message('2', 1_000), retain: true, qos: 1 },
    ]);
    telemetry?.offer('3', 2_000);
    await eventually('the next arrives', () => bus.published.length === 3);
    assert.equal(bus.published[2]?.qos, 0);
  });

  it('leaves a topic alone at which the bus ends the connection twice, and goes on with the others', async () => {
    const publish = bus.publish.bind(bus);
    let ends = 0;
    bus.publish = (topic, payload, options) => {
      if (topic !== 'not/allowed') return publish(topic, payload, options);
      ends += 1;
      bus.disconnect();
      router.onBusDown();
      bus.connect();
      return Promise.reject(new Error('the connection has ended'));
    };
    const [wrong] = router.sinksOf(deviceWith({ mqtt: { topic: 'not/allowed' } }));
    const [right] = router.sinksOf(deviceWith({ mqtt: {} }));
    for (let second = 1; second <= 5; second++) {
      wrong?.offer('1', second * 1_000);
      right?.offer(String(second), second * 1_000);
    }
    await eventually('all others arrive', () =>
      ['1', '2', '3', '4', '5'].every((value) =>
        bus.published.some(({ message: said }) => (said as TelemetryMessage).value === value),
      ),
    );
    assert.equal(ends, 2);
    assert.equal(router.dropped, 5);
  });

  it('sends again what the receiver did not take now, and nothing that it never will', async () => {
    let asked = 0;
    server.answer = (_request, response) => {
      asked += 1;
      response.writeHead(asked === 1 ? 503 : asked === 2 ? 200 : 400).end();
    };
    const [sink] = router.sinksOf(deviceWith(http()));
    sink?.offer('1', 1_000);
    await eventually('it is taken', () => router.summaries()[0]?.sent === 1);
    assert.equal(asked, 2);
    sink?.offer('2', 2_000);
    await eventually('it is refused', () => router.dropped === 1);
    assert.equal(asked, 3);
  });

  it('is not held up by a receiver that hangs', async () => {
    server.answer = () => {}; // never answers
    const hanging = deviceWith({
      http: { hostName: '127.0.0.1', port: server.port, timeout: 100 },
      mqtt: {},
    });
    const [sink] = router.sinksOf(hanging);
    sink?.offer('1', 1_000);
    await eventually('the bus has it', () => bus.published.length === 1);
    await eventually('it is tried again', () => server.bodies.length >= 2);
    assert.deepEqual(router.summaries().find(({ receiver }) => receiver.startsWith('http'))?.waiting, 1);
  });

  it('bears an address that is none', () => {
    const sinks = router.sinksOf(deviceWith({ otel: { endpointURL: 'no address' } }));
    assert.deepEqual(sinks, [undefined]);
  });

  it('releases receivers with their last device', async () => {
    const device = deviceWith(http());
    router.sinksOf(device);
    router.release(device);
    assert.deepEqual(router.summaries(), []);
    await eventually('nothing is dropped', () => router.dropped === 0);
  });
});

describe('Receiver', () => {
  it('drops the oldest of what waits, and counts it', async () => {
    const sent: string[] = [];
    let open = false;
    const sender: Sender = {
      shown: 'test',
      batchMax: 3,
      timeoutMs: 1_000,
      send: (readings) => {
        if (!open) return Promise.reject(new Error('not now'));
        sent.push(...readings.map(({ text }) => text));
        return Promise.resolve(0);
      },
      close: () => Promise.resolve(),
    };
    const receiver = new Receiver({
      sender,
      log: silentLogger,
      clock: systemClock,
      random: seededRandom(1),
      limit: 5,
      lingerMs: 1,
    });
    const device = boundDevice({ name: 'd', protocol: 'memory', properties: [{ name: 'p' }] });
    const [property] = device.properties;
    assert.ok(property);
    const offer = (text: string): void =>
      receiver.offer({ device, property, text, atMs: 0 } satisfies Reading);
    for (const text of ['1', '2', '3', '4', '5', '6', '7']) offer(text);
    assert.deepEqual(receiver.summary, { receiver: 'test', sent: 0, dropped: 2, waiting: 5 });
    open = true;
    await eventually('all are sent', () => receiver.summary.sent === 5);
    assert.deepEqual(sent, ['3', '4', '5', '6', '7']);
    await receiver.stop();
    offer('8');
    assert.equal(receiver.summary.waiting, 0);
  });
});
