import assert from 'node:assert/strict';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { condition, containerOf, endOf, type FeatureSite } from './feature-site.ts';
import { SERVES, shell, STAYS } from './shell.ts';

/** A folder that all containers of a pod have. */
const SHARED = { volumes: [{ name: 'shared', emptyDir: {} }] };
const MOUNT = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };

/** Init containers, sidecars, restart policies. */
export function describeStarting(site: () => FeatureSite): void {
  describe('starting', () => {
    before(() =>
      site().create(
        shellPod(
          'job-with-sidecars',
          'echo main >>/shared/order; cat /shared/order; sleep 1; echo main-ended >>/ends/order',
          {
            spec: {
              restartPolicy: 'Never',
              volumes: [
                { name: 'shared', emptyDir: {} },
                { name: 'ends', hostPath: { path: `${site().hostDir}/ends`, type: 'DirectoryOrCreate' } },
              ],
              initContainers: [
                shell('first', 'sleep 0.3; echo first >>/shared/order', MOUNT),
                shell(
                  'starter',
                  // Its first run fails: it comes back although the pod's policy is Never.
                  `test -e /shared/crashed || { touch /shared/crashed; exit 5; }
                sleep 0.5; echo starter >>/shared/order; touch /shared/started; ${untilTold('starter')}`,
                  {
                    ...sidecar(),
                    startupProbe: {
                      exec: { command: ['test', '-e', '/shared/started'] },
                      periodSeconds: 1,
                      failureThreshold: 30,
                    },
                  },
                ),
                shell('second', 'echo second >>/shared/order', MOUNT),
                shell('last', `echo last >>/shared/order; ${untilTold('last')}`, sidecar()),
              ],
            },
            container: { volumeMounts: mounts() },
          },
        ),
        shellPod('init-fails', 'true', {
          spec: {
            restartPolicy: 'Never',
            initContainers: [shell('fails', 'exit 3'), shell('after', 'true')],
          },
        }),
        shellPod('init-tries-again', 'true', {
          spec: {
            restartPolicy: 'OnFailure',
            ...SHARED,
            initContainers: [
              shell('tries', 'test -e /shared/tried || { touch /shared/tried; exit 1; }', MOUNT),
            ],
          },
        }),
        shellPod('fails-once', 'test -e /shared/tried || { touch /shared/tried; exit 1; }', {
          spec: { restartPolicy: 'OnFailure', ...SHARED },
          container: MOUNT,
        }),
        shellPod('sidecar-unready', STAYS, {
          spec: {
            initContainers: [
              shell('side', STAYS, {
                restartPolicy: 'Always',
                readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
              }),
            ],
          },
        }),
        shellPod('never-again', 'exit 4', { spec: { restartPolicy: 'Never' } }),
        shellPod('two', '', {
          spec: {
            containers: [
              shell('one', `echo one $HOSTNAME; ${SERVES}`),
              shell(
                'other',
                'echo other $HOSTNAME; until wget -qO- http://127.0.0.1:8080/; do sleep 0.1; done; exec sleep 1000',
              ),
            ],
          },
        }),
      ),
    );
    after(() =>
      site().forget(
        'job-with-sidecars',
        'init-fails',
        'init-tries-again',
        'fails-once',
        'never-again',
        'sidecar-unready',
        'two',
      ),
    );

    it('runs init containers one after the other, sidecars beside them once they have started', async () => {
      const said = await site().saidBy('job-with-sidecars');
      const order = said.trim().split('\n');
      assert.deepEqual(
        order.filter((name) => name !== 'last'),
        ['first', 'starter', 'second', 'main'],
      );
    });

    it('restarts sidecars whatever the policy, and does not let them keep a pod alive', async () => {
      const pod = await site().untilPhase('job-with-sidecars', 'Succeeded');
      assert.equal(containerOf(pod, 'starter')?.restartCount, 1);
      assert.equal(containerOf(pod, 'last')?.restartCount, 0);
      assert.deepEqual(endOf(containerOf(pod, 'starter'))?.['exitCode'], 0);
    });

    it('ends sidecars last, in reverse order', async () => {
      await site().untilPhase('job-with-sidecars', 'Succeeded');
      assert.equal(await site().hostFile('ends/order'), 'main-ended\nlast-ended\nstarter-ended\n');
    });

    it('is not ready while a sidecar is not', async () => {
      const pod = await site().until('sidecar-unready', (one) => containerOf(one)?.ready === true);
      assert.equal(condition(pod, 'Ready')?.message, 'containers with unready status: [side]');
      await site().exec('sidecar-unready', 'touch /tmp/ready', 'side');
      await site().untilReady('sidecar-unready');
    });

    it('fails a pod whose init container has failed for good', async () => {
      const pod = await site().untilPhase('init-fails', 'Failed');
      assert.equal(endOf(containerOf(pod, 'fails'))?.['exitCode'], 3);
      assert.equal(containerOf(pod, 'after')?.containerID, undefined);
      assert.equal(containerOf(pod, 'main')?.containerID, undefined);
      assert.equal(condition(pod, 'Initialized')?.status, 'False');
    });

    it('tries init containers again as the policy says', async () => {
      const pod = await site().untilPhase('init-tries-again', 'Succeeded');
      assert.equal(containerOf(pod, 'tries')?.restartCount, 1);
      assert.equal(endOf(containerOf(pod, 'main'))?.['exitCode'], 0);
    });

    it('restarts after a failure alone with OnFailure, never with Never', async () => {
      const once = containerOf(await site().untilPhase('fails-once', 'Succeeded'));
      assert.equal(once?.restartCount, 1);
      assert.equal(once.lastState?.['terminated']?.['exitCode'], 1);
      const never = containerOf(await site().untilPhase('never-again', 'Failed'));
      assert.equal(never?.restartCount, 0);
      assert.equal(endOf(never)?.['exitCode'], 4);
    });

    it('runs containers side by side on one network, with logs of their own', async () => {
      await site().untilReady('two');
      await site().untilLog('two', /hawser/, 'other');
      assert.equal(await site().log('two', 'other'), 'other two\nhawser\n');
      assert.equal(await site().log('two', 'one'), 'one two\n');
    });
  });
}

function mounts(): readonly object[] {
  return [...MOUNT.volumeMounts, { name: 'ends', mountPath: '/ends' }];
}

function sidecar(): object {
  return { restartPolicy: 'Always', volumeMounts: mounts() };
}

/** Waits for the signal to end, and says so. */
function untilTold(name: string): string {
  return `trap 'echo ${name}-ended >>/ends/order; exit 0' TERM; while :; do sleep 0.1; done`;
}
