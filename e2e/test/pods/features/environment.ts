import assert from 'node:assert/strict';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerOf, pairs, type FeatureSite } from './feature-site.ts';
import { shell } from './shell.ts';

/** What a shell has in its environment by itself, and what the runtime and the image give it. */
const NOT_OURS = new Set(['PATH', 'HOME', 'HOSTNAME', 'PWD', 'SHLVL', 'TERM', '_']);

/** Environment, commands and arguments. */
export function describeEnvironment(site: () => FeatureSite): void {
  describe('environment and commands', () => {
    before(async () => {
      await site().create(
        object('ConfigMap', 'env', { data: { one: '1', two: 'with $(PLAIN)', over: 'from the configMap' } }),
        object('Secret', 'env', { data: { word: base64('secret word'), over: base64('from the secret') } }),
        object('ServiceAccount', 'robot', {}),
      );
      await site().create(
        environmentPod(),
        shellPod('commands', '', {
          spec: {
            restartPolicy: 'Never',
            containers: [
              shell('main', '', {
                command: ['sh', '-c', 'for word; do echo "[$word]"; done; pwd', 'name', '$(PLAIN)'],
                args: ['$(PLAIN) and $$(PLAIN)', '$(MISSING)', '$PLAIN'],
                env: [{ name: 'PLAIN', value: 'plain' }],
                workingDir: '/home',
              }),
              // No command: that of the image, a shell.
              { ...shell('image', ''), command: undefined, args: ['sh', '-c', 'echo by args'] },
              shell('terminal', 'test -t 0 && test -t 1 && echo a terminal', { stdin: true, tty: true }),
            ],
          },
        }),
        shellPod('lacks', 'echo $WORD', {
          spec: { restartPolicy: 'Never' },
          container: {
            env: [{ name: 'WORD', valueFrom: { configMapKeyRef: { name: 'late', key: 'word' } } }],
          },
        }),
      );
    });
    after(() => site().forget('environment', 'commands', 'lacks'));

    it('has values from everywhere, with references to what comes before', async () => {
      const said = pairs(await site().saidBy('environment'));
      const { metadata, status } = await site().pod('environment');
      const host = await site().hostAddress();
      const node = (await site().pods.cluster.objects.get(RESOURCES.nodes, 'edge-1')) as {
        status?: { allocatable?: Readonly<Record<string, string>> };
      };
      const ours = Object.fromEntries(Object.entries(said).filter(([name]) => !NOT_OURS.has(name)));
      assert.deepEqual(ours, {
        CM_one: '1',
        CM_two: 'with $(PLAIN)',
        CM_over: 'from the configMap',
        word: 'secret word',
        over: 'env goes over envFrom',
        PLAIN: 'plain',
        REFERENCES: 'plain 1 secret word $(MISSING) $(PLAIN) $(LATER)',
        LATER: 'later',
        EMPTY: '',
        KEY: 'with $(PLAIN)',
        SECRET: 'secret word',
        NAME: 'environment',
        NAMESPACE: 'default',
        UID: metadata.uid,
        LABEL: 'red',
        ANNOTATION: 'a note',
        NODE: 'edge-1',
        ACCOUNT: 'robot',
        HOST_IP: host,
        HOST_IPS: status?.hostIPs?.map(({ ip }) => ip).join(),
        POD_IP: status?.podIP,
        POD_IPS: status?.podIP,
        CPU: '250',
        MEMORY: '16',
        STORAGE_LIMIT: said['STORAGE_LIMIT'],
        OTHER_MEMORY: '33554432',
      });
      assert.equal(
        Number(said['STORAGE_LIMIT']),
        Number.parseInt(node.status?.allocatable?.['ephemeral-storage'] ?? '', 10),
      );
    });

    it('runs commands and arguments, where they are to run', async () => {
      await site().untilPhase('commands', 'Succeeded');
      assert.equal(
        await site().log('commands'),
        '[plain]\n[plain and $(PLAIN)]\n[$(MISSING)]\n[$PLAIN]\n/home\n',
      );
      assert.equal(await site().log('commands', 'image'), 'by args\n');
      assert.equal(await site().log('commands', 'terminal'), 'a terminal\n');
    });

    it('waits for an object that it lacks, says so, and starts when it comes', async () => {
      const pod = await site().until(
        'lacks',
        (one) => containerOf(one)?.state?.['waiting']?.['reason'] === 'CreateContainerConfigError',
      );
      assert.equal(containerOf(pod)?.state?.['waiting']?.['message'], 'configmap "late" not found');
      await site().untilEvent(
        'lacks',
        ({ reason, message }) => reason === 'Failed' && message === 'Error: configmap "late" not found',
      );
      await site().create(object('ConfigMap', 'late', { data: { word: 'here it is' } }));
      assert.equal(await site().saidBy('lacks'), 'here it is\n');
    });
  });
}

function environmentPod(): KubeObject {
  const field = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  const amount = (name: string, resourceFieldRef: object): object => ({
    name,
    valueFrom: { resourceFieldRef },
  });
  const other = shell('other', 'true', { resources: { requests: { memory: '32Mi' } } });
  const main = shell('main', 'env', {
    resources: { limits: { cpu: '250m' }, requests: { memory: '16Mi' } },
    envFrom: [
      { prefix: 'CM_', configMapRef: { name: 'env' } },
      { secretRef: { name: 'env' } },
      { configMapRef: { name: 'nowhere', optional: true } },
    ],
    env: [
      { name: 'PLAIN', value: 'plain' },
      { name: 'REFERENCES', value: '$(PLAIN) $(CM_one) $(word) $(MISSING) $$(PLAIN) $(LATER)' },
      { name: 'LATER', value: 'later' },
      { name: 'EMPTY' },
      { name: 'over', value: 'env goes over envFrom' },
      { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'env', key: 'two' } } },
      { name: 'NO_KEY', valueFrom: { configMapKeyRef: { name: 'env', key: 'none', optional: true } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'env', key: 'word' } } },
      { name: 'NO_SECRET', valueFrom: { secretKeyRef: { name: 'none', key: 'word', optional: true } } },
      field('NAME', 'metadata.name'),
      field('NAMESPACE', 'metadata.namespace'),
      field('UID', 'metadata.uid'),
      field('LABEL', "metadata.labels['colour']"),
      field('ANNOTATION', "metadata.annotations['test.hawser.dev/note']"),
      field('NODE', 'spec.nodeName'),
      field('ACCOUNT', 'spec.serviceAccountName'),
      field('HOST_IP', 'status.hostIP'),
      field('HOST_IPS', 'status.hostIPs'),
      field('POD_IP', 'status.podIP'),
      field('POD_IPS', 'status.podIPs'),
      amount('CPU', { resource: 'limits.cpu', divisor: '1m' }),
      amount('MEMORY', { resource: 'requests.memory', divisor: '1Mi' }),
      amount('STORAGE_LIMIT', { resource: 'limits.ephemeral-storage' }),
      amount('OTHER_MEMORY', { containerName: 'other', resource: 'requests.memory' }),
    ],
  });
  const metadata = { labels: { colour: 'red' }, annotations: { 'test.hawser.dev/note': 'a note' } };
  const spec = { restartPolicy: 'Never', serviceAccountName: 'robot', containers: [main, other] };
  return shellPod('environment', '', { metadata, spec });
}

function object(kind: string, name: string, more: object): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, ...more };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
