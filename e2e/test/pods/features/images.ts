import assert from 'node:assert/strict';
import { LocalRegistry, REGISTRY_LOGIN, TEST_IMAGES, testImages } from '@hawser/edgecore/testing';
import type { KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerOf, type FeatureSite } from './feature-site.ts';

const ONCE = { restartPolicy: 'Never' };
const VERSION = 'cat /etc/image-version';

/** Pull policies, secrets, and what is said of images that cannot be had. */
export function describeImages(site: () => FeatureSite): void {
  describe('images', () => {
    let registry: LocalRegistry;
    let closed: LocalRegistry;

    before(async function () {
      const missing = LocalRegistry.unavailable();
      if (missing !== undefined) {
        console.log(`    skipped: ${missing}`);
        this.skip();
      }
      [registry, closed] = await Promise.all([LocalRegistry.open(), LocalRegistry.open({ login: true })]);
      await push(registry, TEST_IMAGES.busybox);
      await push(closed, TEST_IMAGES.busybox);
      const secret = (name: string, password: string): KubeObject => ({
        ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } },
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': base64(JSON.stringify(logins(closed.host, password))) },
      });
      await site().create(secret('good', REGISTRY_LOGIN.password), secret('bad', 'another'));
      await site().create(
        imagePod('pulls', `${registry.host}/app:1`),
        imagePod('pulls-with-secret', `${closed.host}/app:1`, {
          imagePullSecrets: [{ name: 'bad' }, { name: 'good' }],
        }),
        imagePod('pulls-without-secret', `${closed.host}/app:2`),
        imagePod('pulls-with-bad-secret', `${closed.host}/app:3`, {
          imagePullSecrets: [{ name: 'bad' }, { name: 'nowhere' }],
        }),
        imagePod('pulls-nothing', `${registry.host}/nothing:1`),
        imagePod('never', `${registry.host}/never:1`, {}, 'Never'),
        imagePod('no-name', 'Not/A:Name:1'),
      );
    });
    after(async () => {
      await site().forget(
        ...['pulls', 'pulls-with-secret', 'pulls-without-secret', 'pulls-with-bad-secret'],
        ...['pulls-nothing', 'never', 'no-name'],
      );
      await Promise.all([registry.close(), closed.close()]);
    });

    /** Pushes one of the test images as `app:1`. */
    async function push(to: LocalRegistry, name: string): Promise<string> {
      const image = (await testImages()).find((one) => one.name === name);
      if (image === undefined) throw new TypeError(`no test image ${name}`);
      return (await to.push(image, 'app:1')).digest;
    }

    async function waiting(name: string, reason: string): Promise<string> {
      const pod = await site().until(
        name,
        (one) => containerOf(one)?.state?.['waiting']?.['reason'] === reason,
      );
      return String(containerOf(pod)?.state?.['waiting']?.['message']);
    }

    async function said(name: string): Promise<readonly string[]> {
      return (await site().events(name)).map(({ reason, message }) => `${reason}: ${message}`);
    }

    /** What is said of a start comes a second after it. */
    async function saidOfStart(name: string): Promise<readonly string[]> {
      let events: readonly string[] = [];
      await eventually('the image is told of', async () => {
        events = await said(name);
        return events.some((event) => event.startsWith('Pulled: '));
      });
      return events;
    }

    it('pulls what is not there, and says how long that took', async () => {
      assert.equal(await site().saidBy('pulls'), '1\n');
      const events = await saidOfStart('pulls');
      assert.ok(events.includes(`Pulling: Pulling image "${registry.host}/app:1"`), events.join('\n'));
      assert.match(
        events.find((event) => event.startsWith('Pulled: ')) ?? '',
        /^Pulled: Successfully pulled image "[^"]+" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/,
      );
      assert.match(String(containerOf(await site().pod('pulls'))?.imageID), /^(\S+@)?sha256:/);
    });

    it('takes what is there for IfNotPresent, and asks anew for Always', async () => {
      await site().untilPhase('pulls', 'Succeeded');
      await push(registry, TEST_IMAGES.busybox2);
      await site().create(imagePod('present', `${registry.host}/app:1`));
      assert.equal(await site().saidBy('present'), '1\n');
      assert.ok((await saidOfStart('present')).some((event) => event.endsWith('already present on machine')));
      await site().create(imagePod('latest', `${registry.host}/app:1`, {}, 'Always'));
      assert.equal(await site().saidBy('latest'), '2\n');
      await site().forget('present', 'latest');
    });

    it('logs in with the secrets of the pod', async () => {
      assert.equal(await site().saidBy('pulls-with-secret'), '1\n');
    });

    it('says what it is refused, and waits longer each time', async () => {
      for (const [name, tag] of [
        ['pulls-without-secret', '2'],
        ['pulls-with-bad-secret', '3'],
      ] as const) {
        const image = `${closed.host}/app:${tag}`;
        const message = await waiting(name, 'ImagePullBackOff');
        assert.ok(message.startsWith(`Back-off pulling image "${image}": ErrImagePull: `), message);
        const backOff = `BackOff: Back-off pulling image "${image}"`;
        // Each event is a write of its own.
        const all = [backOff, 'Failed: Error: ErrImagePull', 'Failed: Error: ImagePullBackOff'];
        await eventually('it is told of', async () => {
          const told = await said(name);
          return all.every((event) => told.includes(event));
        });
        const events = await said(name);
        assert.ok(
          events.some((event) => event.startsWith(`Failed: Failed to pull image "${image}"`)),
          events.join('\n'),
        );
        assert.ok(events.includes('Failed: Error: ErrImagePull'), events.join('\n'));
        assert.ok(events.includes('Failed: Error: ImagePullBackOff'), events.join('\n'));
      }
      const missing =
        'Unable to retrieve some image pull secrets (nowhere); attempting to pull the image may not succeed.';
      assert.ok(
        (await said('pulls-with-bad-secret')).includes(`FailedToRetrieveImagePullSecret: ${missing}`),
      );
      assert.match(await waiting('pulls-nothing', 'ImagePullBackOff'), /not found/);
    });

    it('never pulls for Never, and says which names are none', async () => {
      const image = `${registry.host}/never:1`;
      assert.equal(
        await waiting('never', 'ErrImageNeverPull'),
        `Container image "${image}" is not present with pull policy of Never`,
      );
      assert.match(
        await waiting('no-name', 'InvalidImageName'),
        /^Failed to apply default image tag "Not\/A:Name:1": /,
      );
    });

    it('starts when an image that was missing comes', async function () {
      // It waits ten seconds between the first two pulls.
      await site().untilEvent('pulls-nothing', ({ reason }) => reason === 'BackOff');
      const image = (await testImages()).find(({ name }) => name === TEST_IMAGES.busybox);
      assert.ok(image !== undefined);
      await registry.push(image, 'nothing:1');
      assert.equal(await site().saidBy('pulls-nothing'), '1\n');
    });
  });
}

function imagePod(
  name: string,
  image: string,
  spec: object = {},
  imagePullPolicy = 'IfNotPresent',
): KubeObject {
  return shellPod(name, VERSION, { spec: { ...ONCE, ...spec }, container: { image, imagePullPolicy } });
}

function logins(host: string, password: string): object {
  return { auths: { [host]: { auth: base64(`${REGISTRY_LOGIN.username}:${password}`) } } };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
