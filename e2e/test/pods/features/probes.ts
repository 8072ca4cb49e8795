import assert from 'node:assert/strict';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { condition, containerOf, endOf, type FeatureSite } from './feature-site.ts';
import { HealthServer, HttpRecorder } from './host-server.ts';
import { SERVES, shell, STAYS } from './shell.ts';

const EVERY_SECOND = { periodSeconds: 1 };

/** Startup, liveness and readiness, by each kind of handler. */
export function describeProbes(site: () => FeatureSite): void {
  describe('probes', () => {
    const http = new HttpRecorder();
    const health = new HealthServer();
    let host: string;

    before(async () => {
      host = await site().hostAddress();
      await http.start(host);
      await health.start(host);
      await site().create(
        shellPod('probe-exec', STAYS, {
          container: {
            startupProbe: {
              exec: { command: ['test', '-e', '/tmp/up'] },
              ...EVERY_SECOND,
              failureThreshold: 60,
            },
            livenessProbe: {
              exec: { command: ['test', '-e', '/tmp/alive'] },
              ...EVERY_SECOND,
              failureThreshold: 2,
            },
            readinessProbe: {
              exec: { command: ['cat', '/tmp/ready'] },
              ...EVERY_SECOND,
              failureThreshold: 1,
            },
          },
        }),
        shellPod('probe-startup', STAYS, {
          container: { startupProbe: { exec: { command: ['false'] }, ...EVERY_SECOND, failureThreshold: 1 } },
        }),
        shellPod('probe-late', STAYS, {
          container: {
            readinessProbe: { exec: { command: ['sleep', '100'] }, ...EVERY_SECOND, timeoutSeconds: 1 },
          },
        }),
        shellPod('probe-net', '', {
          spec: {
            containers: [
              shell('main', SERVES, {
                ports: [{ name: 'web', containerPort: 8080 }],
                startupProbe: { tcpSocket: { port: 'web' }, ...EVERY_SECOND },
                livenessProbe: { httpGet: { path: '/', port: 'web' }, ...EVERY_SECOND },
                readinessProbe: { httpGet: { path: '/ready', port: 8080 }, ...EVERY_SECOND },
              }),
              shell('closed', STAYS, { readinessProbe: { tcpSocket: { port: 9 }, ...EVERY_SECOND } }),
              shell('elsewhere', STAYS, {
                readinessProbe: {
                  httpGet: {
                    ...{ host, port: http.port, path: '/probe?a=1' },
                    httpHeaders: [{ name: 'X-Probe', value: 'yes' }],
                  },
                  ...EVERY_SECOND,
                },
              }),
            ],
          },
        }),
        shellPod('probe-grpc', '', {
          spec: {
            hostNetwork: true,
            containers: [
              shell('good', STAYS, {
                readinessProbe: { grpc: { port: health.port, service: 'good' }, ...EVERY_SECOND },
              }),
              shell('bad', STAYS, {
                readinessProbe: { grpc: { port: health.port, service: 'bad' }, ...EVERY_SECOND },
              }),
            ],
          },
        }),
      );
    });
    after(async () => {
      await site().forget('probe-exec', 'probe-startup', 'probe-late', 'probe-net', 'probe-grpc');
      http.stop();
      health.stop();
    });

    it('holds the others back until the startup probe has passed, then follows them (exec)', async () => {
      const early = await site().untilPhase('probe-exec', 'Running');
      const { started, ready } = containerOf(early) ?? {};
      assert.deepEqual({ started, ready }, { started: false, ready: false });
      const unready = "can't open '/tmp/ready'";
      await site().exec('probe-exec', 'touch /tmp/alive /tmp/up');
      await site().until('probe-exec', (pod) => containerOf(pod)?.started === true);
      await site().untilEvent(
        'probe-exec',
        ({ reason, message }) =>
          reason === 'Unhealthy' && message.startsWith('Readiness') && message.includes(unready),
      );
      await site().exec('probe-exec', 'touch /tmp/ready');
      await site().untilReady('probe-exec');
      await site().exec('probe-exec', 'rm /tmp/ready');
      const pod = await site().until('probe-exec', (one) => condition(one, 'Ready')?.status === 'False');
      assert.equal(condition(pod, 'ContainersReady')?.message, 'containers with unready status: [main]');
      assert.equal(containerOf(pod)?.restartCount, 0);
    });

    it('kills and restarts what a liveness probe condemns', async () => {
      await site().exec('probe-exec', 'rm /tmp/alive');
      const pod = await site().until('probe-exec', (one) => containerOf(one)?.restartCount === 1);
      assert.equal(endOf(containerOf(pod))?.['exitCode'], 0); // it heard the signal
      const events = (await site().events('probe-exec')).map(({ message }) => message);
      assert.ok(
        events.includes('Container main failed liveness probe, will be restarted'),
        events.join('\n'),
      );
      assert.ok(
        events.some((message) => message.startsWith('Liveness probe failed:')),
        events.join('\n'),
      );
    });

    it('kills what a startup probe gives up', async () => {
      const message = 'Container main failed startup probe, will be restarted';
      await site().untilEvent(
        'probe-startup',
        (event) => event.reason === 'Killing' && event.message === message,
      );
      await site().until('probe-startup', (pod) => (containerOf(pod)?.restartCount ?? 0) > 0);
    });

    it('takes no answer in time for a failure', async () => {
      const message = 'Readiness probe failed: command timed out: "sleep 100" timed out after 1s';
      await site().untilEvent('probe-late', (event) => event.message === message);
      assert.equal(containerOf(await site().pod('probe-late'))?.ready, false);
    });

    it('asks by HTTP and by TCP, at ports by name and number', async () => {
      await site().untilEvent(
        'probe-net',
        ({ message, fieldPath }) =>
          message === 'Readiness probe failed: HTTP probe failed with statuscode: 404' &&
          fieldPath === 'spec.containers{main}',
      );
      const { status } = await site().pod('probe-net');
      await site().untilEvent(
        'probe-net',
        ({ message }) =>
          message ===
          `Readiness probe failed: dial tcp ${status?.podIP ?? ''}:9: connect: connection refused`,
      );
      await site().exec('probe-net', 'echo yes >/www/ready');
      const pod = await site().until('probe-net', (one) => containerOf(one)?.ready === true);
      assert.equal(containerOf(pod)?.restartCount, 0);
      assert.equal(containerOf(pod, 'closed')?.ready, false);
      assert.equal(condition(pod, 'Ready')?.message, 'containers with unready status: [closed]');
    });

    it('asks another host if it is to, with headers', async () => {
      await site().until('probe-net', (one) => containerOf(one, 'elsewhere')?.ready === true);
      const [first] = http.requests;
      assert.equal(first?.path, '/probe?a=1');
      assert.equal(first.headers['x-probe'], 'yes');
      assert.match(first.headers['user-agent'] ?? '', /^kube-probe\//);
    });

    it('asks by gRPC, at the address of the host for a pod on its network', async () => {
      const pod = await site().until('probe-grpc', (one) => containerOf(one, 'good')?.ready === true);
      assert.equal(pod.status?.podIP, host);
      const message = 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")';
      await site().untilEvent('probe-grpc', (event) => event.message === message);
      assert.equal(containerOf(await site().pod('probe-grpc'), 'bad')?.ready, false);
      assert.ok(health.asked.includes('good') && health.asked.includes('bad'));
    });
  });
}
