import assert from 'node:assert/strict';
import { TEST_IMAGES } from '@hawser/edgecore/testing';
import { RESOURCES } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerId, containerOf, endOf, type FeatureSite } from './feature-site.ts';
import { HttpRecorder } from './host-server.ts';
import { shell, STAYS } from './shell.ts';

/** Hooks, grace, deadlines, last words, deletion, another image. */
export function describeEnding(site: () => FeatureSite): void {
  describe('hooks and ends', () => {
    const http = new HttpRecorder();

    before(async () => {
      const host = await site().hostAddress();
      await http.start(host);
      const ends = {
        volumes: [{ name: 'ends', hostPath: { path: `${site().hostDir}/hooks`, type: 'DirectoryOrCreate' } }],
      };
      const mount = { volumeMounts: [{ name: 'ends', mountPath: '/ends' }] };
      const ask = (path: string): object => ({ httpGet: { host, port: http.port, path } });
      await site().create(
        shellPod('hooks', '', {
          spec: {
            ...ends,
            terminationGracePeriodSeconds: 20,
            containers: [
              shell('main', 'trap "echo term >>/ends/hooks; exit 0" TERM; while :; do sleep 0.1; done', {
                ...mount,
                lifecycle: {
                  postStart: { exec: { command: ['sh', '-c', 'sleep 0.5; echo postStart >>/ends/hooks'] } },
                  preStop: { exec: { command: ['sh', '-c', 'echo preStop >>/ends/hooks; sleep 0.5'] } },
                },
              }),
              shell('http', STAYS, { lifecycle: { postStart: ask('/started'), preStop: ask('/stopping') } }),
              shell('sleeper', STAYS, { lifecycle: { preStop: { sleep: { seconds: 2 } } } }),
            ],
          },
        }),
        shellPod('post-start-fails', STAYS, {
          container: { lifecycle: { postStart: { exec: { command: ['sh', '-c', 'exit 9'] } } } },
        }),
        shellPod('stubborn', 'exec ignore-term >/ends/stubborn', {
          spec: { ...ends, terminationGracePeriodSeconds: 3 },
          container: mount,
        }),
        shellPod('forced', 'exec ignore-term', { spec: { terminationGracePeriodSeconds: 300 } }),
        shellPod('deadline', STAYS, { spec: { activeDeadlineSeconds: 2 } }),
        shellPod('words', '', {
          spec: {
            restartPolicy: 'Never',
            containers: [
              shell('file', 'echo a word to the file >/dev/termination-log; exit 1'),
              shell('path', 'echo another >/tmp/words', { terminationMessagePath: '/tmp/words' }),
              shell('log', 'echo not last; echo last of the log; exit 2', {
                terminationMessagePolicy: 'FallbackToLogsOnError',
              }),
              shell('silent', 'echo not shown', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
            ],
          },
        }),
        shellPod('ends-initializing', 'true', { spec: { initContainers: [shell('first', STAYS)] } }),
        shellPod('ends-crashing', 'exit 1'),
        shellPod('ends-pulling', 'true', { container: { image: '127.0.0.1:1/app:1' } }),
        shellPod('ends-mounting', 'true', {
          spec: { volumes: [{ name: 'config', configMap: { name: 'nowhere' } }] },
          container: { volumeMounts: [{ name: 'config', mountPath: '/config' }] },
        }),
        shellPod('again', 'echo first; exec sleep 1000'),
        shellPod('other-image', STAYS, { spec: { containers: changing(TEST_IMAGES.busybox) } }),
      );
    });
    after(async () => {
      await site().forget('post-start-fails', 'deadline', 'words', 'other-image');
      http.stop();
    });

    it('runs postStart before it says that a container runs', async () => {
      await site().untilReady('hooks');
      assert.equal(await site().hostFile('hooks/hooks'), 'postStart\n');
      assert.deepEqual(
        http.requests.map(({ path }) => path),
        ['/started'],
      );
    });

    it('runs preStop before the signal, and counts it in the grace', async () => {
      const startedMs = performance.now();
      await site().remove('hooks');
      const tookMs = performance.now() - startedMs;
      assert.equal(await site().hostFile('hooks/hooks'), 'postStart\npreStop\nterm\n');
      assert.deepEqual(
        http.requests.map(({ path }) => path),
        ['/started', '/stopping'],
      );
      assert.ok(tookMs >= 2_000, `the sleep was not waited for: ${tookMs} ms`);
      assert.ok(tookMs < 15_000, `somebody waited for the whole grace: ${tookMs} ms`);
    });

    it('ends a container whose postStart fails', async () => {
      const event = await site().untilEvent(
        'post-start-fails',
        ({ reason }) => reason === 'FailedPostStartHook',
      );
      assert.equal(event.message, 'PostStartHook failed');
      const pod = await site().until(
        'post-start-fails',
        (one) => containerOf(one)?.state?.['waiting']?.['reason'] === 'PostStartHookError',
      );
      assert.match(
        String(containerOf(pod)?.state?.['waiting']?.['message']),
        /^Exec lifecycle hook \(\["sh","-c","exit 9"\]\) for Container "main" in Pod "post-start-fails_default\(.*\)" failed - error: command ended with exit code 9/,
      );
    });

    it('kills what does not heed the signal when the grace is over', async () => {
      await site().untilReady('stubborn');
      await eventually(
        'it ignores the signal',
        async () => (await site().hostFile('hooks/stubborn')) === 'ready\n',
      );
      const startedMs = performance.now();
      await site().remove('stubborn');
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs >= 3_000 && tookMs < 10_000, `${tookMs} ms`);
      assert.equal(await site().hostFile('hooks/stubborn'), 'ready\nSIGTERM ignored\n');
    });

    it('kills at once what is deleted by force', async () => {
      const id = containerId(containerOf(await site().untilReady('forced')));
      await site().pods.cluster.objects.remove(RESOURCES.pods, ['forced'], true);
      await eventually(
        'it is gone',
        async () => !(await site().pods.containerd.ctr(['containers', 'ls', '-q'])).includes(id),
        {
          deadlineMs: 15_000,
          intervalMs: 100,
        },
      );
      assert.ok(!(await site().pods.names()).includes('forced'));
    });

    it('ends a pod that is active for too long', async () => {
      const { status } = await site().untilPhase('deadline', 'Failed');
      assert.equal(status?.reason, 'DeadlineExceeded');
      assert.equal(status.message, 'Pod was active on the node longer than the specified deadline');
    });

    it('ends at once what initializes, crashes, pulls or lacks a volume', async () => {
      const waiting = (name: string, reason: string): Promise<unknown> =>
        site().until(name, (pod) => containerOf(pod)?.state?.['waiting']?.['reason'] === reason);
      await waiting('ends-crashing', 'CrashLoopBackOff');
      await waiting('ends-pulling', 'ImagePullBackOff');
      await site().until(
        'ends-initializing',
        (pod) => containerOf(pod, 'first')?.state?.['running'] !== undefined,
      );
      await site().untilEvent('ends-mounting', ({ reason }) => reason === 'FailedMount');
      const names = ['ends-initializing', 'ends-crashing', 'ends-pulling', 'ends-mounting'];
      const startedMs = performance.now();
      await site().forget(...names);
      for (const name of names) await site().pods.untilGone(name);
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < 8_000, `somebody waited for something: ${tookMs} ms`);
    });

    it('runs a pod of the same name once the one before has ended', async () => {
      const { metadata: before } = await site().untilReady('again');
      await site().remove('again');
      await site().create(shellPod('again', `echo second; ${STAYS}`));
      const { metadata, status } = await site().untilReady('again');
      assert.notEqual(metadata.uid, before.uid);
      assert.equal(status?.containerStatuses?.[0]?.restartCount, 0);
      assert.equal(await site().log('again'), 'second\n');
      await site().forget('again');
    });

    it('passes last words on', async () => {
      const pod = await site().untilPhase('words', 'Failed');
      const words = (name: string): unknown => endOf(containerOf(pod, name))?.['message'];
      assert.equal(words('file'), 'a word to the file\n');
      assert.equal(words('path'), 'another\n');
      assert.equal(words('log'), 'not last\nlast of the log\n');
      assert.equal(words('silent'), undefined);
    });

    it('restarts only the container whose image is another one', async () => {
      const before = await site().untilReady('other-image');
      await site().patch('other-image', { spec: { containers: changing(TEST_IMAGES.busybox2) } });
      const after = await site().until(
        'other-image',
        (pod) => containerOf(pod)?.restartCount === 1 && containerOf(pod)?.ready === true,
      );
      assert.equal(await site().exec('other-image', 'cat /etc/image-version'), '2\n');
      assert.equal(containerOf(after)?.image, TEST_IMAGES.busybox2);
      assert.deepEqual(containerOf(after, 'same'), containerOf(before, 'same'));
      await site().untilEvent(
        'other-image',
        ({ message }) => message === 'Container main definition changed, will be restarted',
      );
    });
  });
}

function changing(image: string): readonly object[] {
  return [shell('main', STAYS, { image }), shell('same', STAYS)];
}
