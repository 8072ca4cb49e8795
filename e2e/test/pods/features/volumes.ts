import assert from 'node:assert/strict';
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { RESOURCES, resourcePath, type ApiResource, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { condition, containerOf, type FeatureSite } from './feature-site.ts';
import { shell, STAYS } from './shell.ts';

const ONCE = { restartPolicy: 'Never' };

/** All kinds of volumes: what containers see of them. */
export function describeVolumes(site: () => FeatureSite): void {
  describe('volumes', () => {
    let socket: Server;
    const host = (name: string): string => path.join(site().hostDir, name);

    before(async () => {
      await mkdir(host('folder'), { recursive: true });
      await mkdir(host('local'), { recursive: true });
      await mkdir(host('claimed'), { recursive: true });
      await writeFile(host('folder/file'), 'of the host\n');
      socket = createServer();
      socket.listen(host('s'));
      await once(socket, 'listening');
      const labels = { colour: 'red' };
      await site().create(
        object('ConfigMap', 'files', {
          data: { one: 'first\n', two: 'second\n' },
          binaryData: { raw: base64('raw\n') },
        }),
        object('Secret', 'files', { data: { word: base64('secret\n') } }),
      );
      await bind('disk', { hostPath: { path: host('claimed') } });
      await bind('near', {
        local: { path: host('local') },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['edge-1'] }] },
            ],
          },
        },
      });
      await site().create(
        shellPod('empty-dirs', '', {
          spec: {
            ...ONCE,
            volumes: [
              { name: 'disk', emptyDir: {} },
              { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
            ],
            containers: [
              shell(
                'main',
                `echo shared >/disk/file; stat -c %a /disk
                grep ' /memory ' /proc/mounts | cut -d' ' -f3
                dd if=/dev/zero of=/memory/big bs=1k count=2048 2>&1 | grep -o 'No space left on device'`,
                volumeMounts(['disk', '/disk'], ['memory', '/memory']),
              ),
              shell(
                'other',
                'until cat /data/file 2>/dev/null; do sleep 0.1; done',
                volumeMounts(['disk', '/data']),
              ),
            ],
          },
        }),
        shellPod(
          'host-paths',
          `cat /plain/file; ls -d /made /made-file; test -S /socket && echo a socket; test -c /null && echo a device
          cat /file; echo by the pod >/made/file; touch /plain/new 2>&1 || true`,
          {
            spec: {
              ...ONCE,
              volumes: [
                { name: 'plain', hostPath: { path: host('folder') } },
                { name: 'folder', hostPath: { path: host('folder'), type: 'Directory' } },
                { name: 'made', hostPath: { path: host('made'), type: 'DirectoryOrCreate' } },
                { name: 'made-file', hostPath: { path: host('made-file'), type: 'FileOrCreate' } },
                { name: 'file', hostPath: { path: host('folder/file'), type: 'File' } },
                { name: 'socket', hostPath: { path: host('s'), type: 'Socket' } },
                { name: 'null', hostPath: { path: '/dev/null', type: 'CharDevice' } },
              ],
            },
            container: {
              volumeMounts: [
                { name: 'plain', mountPath: '/plain', readOnly: true },
                ...volumeMounts(
                  ['folder', '/folder'],
                  ['made', '/made'],
                  ['made-file', '/made-file'],
                  ['file', '/file'],
                  ['socket', '/socket'],
                  ['null', '/null'],
                ).volumeMounts,
              ],
            },
          },
        ),
        ...(['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice'] as const).map((type) =>
          shellPod(`wrong-${type.toLowerCase()}`, 'true', {
            spec: {
              volumes: [
                {
                  name: 'wrong',
                  hostPath: { path: type === 'File' ? host('folder') : host('folder/file'), type },
                },
              ],
            },
            container: volumeMounts(['wrong', '/wrong']),
          }),
        ),
        shellPod(
          'sources',
          `cd /config; for file in *; do echo "$file $(stat -L -c %a $file) $(cat $file)"; done
          cd /items/deep; echo "deep $(stat -L -c %a er) $(cat er)"
          cd /secret; echo "$(stat -L -c %a:%u word) $(cat word)"; grep ' /secret ' /proc/mounts | cut -d' ' -f3
          cd /fields; for file in *; do echo "$file [$(cat $file)]"; done
          cd /all; for file in $(find -L . -type f -not -path './..*' | sort); do echo "$file [$(cat $file)]"; done
          touch /config/new 2>&1; ls /optional; cat /sub; cat /expanded/file`,
          {
            metadata: { labels, annotations: { note: 'two\nlines' } },
            spec: {
              ...ONCE,
              volumes: [
                { name: 'config', configMap: { name: 'files' } },
                {
                  name: 'items',
                  configMap: { name: 'files', items: [{ key: 'one', path: 'deep/er', mode: 0o440 }] },
                },
                { name: 'optional', configMap: { name: 'nowhere', optional: true } },
                { name: 'secret', secret: { secretName: 'files', defaultMode: 0o400 } },
                { name: 'fields', downwardAPI: { items: fields() } },
                {
                  name: 'all',
                  projected: {
                    sources: [
                      { configMap: { name: 'files', items: [{ key: 'two', path: 'of/config' }] } },
                      { secret: { name: 'files', items: [{ key: 'word', path: 'of/secret' }] } },
                      {
                        downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
                      },
                    ],
                  },
                },
                { name: 'data', emptyDir: {} },
              ],
              initContainers: [
                shell(
                  'fills',
                  'mkdir /data/sources; echo expanded >/data/sources/file',
                  volumeMounts(['data', '/data']),
                ),
              ],
            },
            container: {
              resources: { limits: { cpu: '500m' } },
              env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
              volumeMounts: [
                ...volumeMounts(
                  ['config', '/config'],
                  ['items', '/items'],
                  ['optional', '/optional'],
                  ['secret', '/secret'],
                  ['fields', '/fields'],
                  ['all', '/all'],
                ).volumeMounts,
                { name: 'config', mountPath: '/sub', subPath: 'two' },
                { name: 'data', mountPath: '/expanded', subPathExpr: '$(POD)' },
              ],
            },
          },
        ),
        shellPod(
          'claims',
          'echo by the pod >/disk/file; stat -c %g /near; touch /near/x; stat -c %g /near/x; stat -L -c %a:%g /word/word; touch /closed/x 2>&1 || true',
          {
            spec: {
              ...ONCE,
              securityContext: { fsGroup: 2000 },
              volumes: [
                { name: 'disk', persistentVolumeClaim: { claimName: 'disk' } },
                { name: 'near', persistentVolumeClaim: { claimName: 'near' } },
                { name: 'word', secret: { secretName: 'files', defaultMode: 0o400 } },
                { name: 'closed', persistentVolumeClaim: { claimName: 'disk', readOnly: true } },
              ],
            },
            container: volumeMounts(
              ['disk', '/disk'],
              ['near', '/near'],
              ['word', '/word'],
              ['closed', '/closed'],
            ),
          },
        ),
        shellPod('links', STAYS, {
          spec: {
            volumes: [{ name: 'data', emptyDir: {} }],
            initContainers: [
              shell(
                'swaps',
                'ln -s / /data/out; ln -s inside /data/link; mkdir /data/inside; echo well >/data/inside/file',
                volumeMounts(['data', '/data']),
              ),
            ],
            containers: [
              shell('main', STAYS, {
                volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'out/etc' }],
              }),
              shell('good', 'cat /data/file', {
                volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'link' }],
              }),
            ],
            restartPolicy: 'Never',
          },
        }),
        shellPod(
          'identity',
          'cd /var/run/secrets/kubernetes.io/serviceaccount; cat token; echo; cat namespace; echo; ls; cat /own/token',
          {
            spec: {
              ...ONCE,
              automountServiceAccountToken: true,
              volumes: [
                {
                  name: 'own',
                  projected: {
                    sources: [
                      {
                        serviceAccountToken: { path: 'token', audience: 'features', expirationSeconds: 1200 },
                      },
                    ],
                  },
                },
              ],
            },
            container: volumeMounts(['own', '/own']),
          },
        ),
      );
    });
    after(async () => {
      socket.close();
      await site().forget(
        ...['empty-dirs', 'host-paths', 'sources', 'claims', 'links', 'identity'],
        ...['directory', 'file', 'socket', 'chardevice', 'blockdevice'].map((type) => `wrong-${type}`),
      );
    });

    /** A claim and its volume, bound to each other as a controller does it. */
    async function bind(name: string, source: object): Promise<void> {
      const { objects, client } = site().pods.cluster;
      const capacity = { storage: '1Gi' };
      const accessModes = ['ReadWriteOnce'];
      await objects.create({
        ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'default' } },
        spec: {
          accessModes,
          resources: { requests: capacity },
          volumeName: `pv-${name}`,
          storageClassName: '',
        },
      });
      const { metadata } = await objects.get(RESOURCES.persistentvolumeclaims, name);
      const claimRef = { kind: 'PersistentVolumeClaim', namespace: 'default', name, uid: metadata.uid };
      await client.request({
        ...{ method: 'POST', path: resourcePath(RESOURCES.persistentvolumes, {}) },
        body: {
          ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `pv-${name}` } },
          spec: { capacity, accessModes, claimRef, ...source },
        },
      });
      await status(RESOURCES.persistentvolumeclaims, name, { phase: 'Bound', accessModes, capacity });
    }

    async function status(resource: ApiResource, name: string, value: object): Promise<void> {
      await site().pods.cluster.client.request({
        ...{ method: 'PATCH', path: `${resourcePath(resource, { namespace: 'default', name })}/status` },
        ...{ body: { status: value }, contentType: 'application/merge-patch+json' },
      });
    }

    it('has emptyDirs on the disk and in memory, shared by containers', async () => {
      assert.equal(await site().saidBy('empty-dirs'), '777\ntmpfs\nNo space left on device\n');
      assert.equal(await site().log('empty-dirs', 'other'), 'shared\n');
    });

    it('has paths of the host, of all types', async () => {
      const said = await site().saidBy('host-paths');
      assert.match(
        said,
        /^of the host\n\/made\n\/made-file\na socket\na device\nof the host\ntouch: .*: Read-only file system\n$/,
      );
      assert.equal(await readFile(host('made/file'), 'utf8'), 'by the pod\n');
      assert.ok((await lstat(host('made-file'))).isFile());
    });

    it('waits for paths of the host that are of another type, and says so', async () => {
      const what = {
        directory: 'folder/file is not a directory',
        file: 'folder is not a file',
        socket: 'folder/file is not a socket file',
        chardevice: 'folder/file is not a character device',
        blockdevice: 'folder/file is not a block device',
      };
      for (const [type, words] of Object.entries(what)) {
        const event = await site().untilEvent(`wrong-${type}`, ({ reason }) => reason === 'FailedMount');
        assert.equal(
          event.message,
          `MountVolume.SetUp failed for volume "wrong" : hostPath type check failed: ${site().hostDir}/${words}`,
        );
        assert.equal((await site().pod(`wrong-${type}`)).status?.phase, 'Pending');
      }
    });

    it('has files of configMaps, secrets, fields and all of them together, and sub-paths', async () => {
      const said = (await site().saidBy('sources')).split('\n');
      assert.deepEqual(
        said.slice(0, -2).filter((line) => !line.startsWith('touch')),
        [
          ...['one 644 first', 'raw 644 raw', 'two 644 second', 'deep 440 first'],
          ...['400:0 secret', 'tmpfs'],
          ...[
            'annotations [note="two\\nlines"]',
            'cpu [500]',
            'label [red]',
            'labels [colour="red"]',
            'name [sources]',
          ],
          ...['./name [sources]', './of/config [second]', './of/secret [secret]'],
          'second',
        ],
      );
      assert.ok(
        said.some((line) => /^touch: .*: Read-only file system$/.test(line)),
        said.join('\n'),
      );
      assert.equal(said.at(-2), 'expanded');
    });

    it('has volumes of claims: paths of the host, and local ones, which take the group', async () => {
      const said = await site().saidBy('claims');
      assert.match(said, /^2000\n2000\n440:2000\ntouch: .*: Read-only file system\n$/);
      assert.equal(await readFile(host('claimed/file'), 'utf8'), 'by the pod\n');
      assert.equal((await lstat(host('claimed'))).gid, 0);
    });

    it('follows no link out of a volume', async () => {
      await site().untilEvent(
        'links',
        ({ message, fieldPath }) =>
          fieldPath === 'spec.containers{main}' &&
          message === 'Error: failed to prepare subPath for volumeMount "data" of container "main"',
      );
      assert.equal(await site().untilLog('links', /well/, 'good'), 'well\n');
      assert.equal(condition(await site().pod('links'), 'Ready')?.status, 'False');
    });

    it('has tokens of its service account, for it alone', async () => {
      const said = await site().saidBy('identity');
      const [token = '', namespace, ...rest] = said.split('\n');
      const own = rest.pop() ?? '';
      assert.equal(namespace, 'default');
      assert.deepEqual(
        rest.filter((line) => line !== ''),
        ['ca.crt', 'namespace', 'token'],
      );
      const { metadata } = await site().pod('identity');
      for (const [text, audience, seconds] of [
        [token, undefined, 3607],
        [own, 'features', 1200],
      ] as const) {
        const claims = claimsOf(text);
        assert.equal(claims.sub, 'system:serviceaccount:default:default');
        assert.deepEqual(claims['kubernetes.io'].pod, { name: 'identity', uid: metadata.uid });
        if (audience !== undefined) assert.deepEqual(claims.aud, [audience]);
        assert.equal(claims.exp - claims.iat, seconds);
      }
    });

    it('follows changes all at once; sub-paths stay', async () => {
      await site().create(
        object('ConfigMap', 'pair', { data: { one: '0', two: '0' } }),
        object('Secret', 'pair', { data: { word: base64('before') } }),
        shellPod(
          'follows',
          `trap 'exit 0' TERM; while :; do set=$(readlink /pair/..data) && one=$(cat /pair/$set/one 2>/dev/null) && two=$(cat /pair/$set/two 2>/dev/null) &&
            { [ "$one" = "$two" ] || echo torn $one $two; }; cat /pair/one >/dev/null || echo gone; done`,
          {
            metadata: { labels: { colour: 'red' } },
            spec: {
              volumes: [
                { name: 'pair', configMap: { name: 'pair' } },
                { name: 'secret', secret: { secretName: 'pair' } },
                {
                  name: 'fields',
                  downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
                },
              ],
            },
            container: {
              env: [{ name: 'WORD', valueFrom: { configMapKeyRef: { name: 'pair', key: 'one' } } }],
              volumeMounts: [
                ...volumeMounts(['pair', '/pair'], ['secret', '/secret'], ['fields', '/fields']).volumeMounts,
                { name: 'pair', mountPath: '/stays', subPath: 'one' },
              ],
            },
          },
        ),
      );
      await site().untilReady('follows');
      for (let round = 1; round <= 5; round++) {
        const text = String(round);
        await site().pods.cluster.objects.patch(RESOURCES.configmaps, 'pair', {
          data: { one: text, two: text },
        });
        await site().untilExec('follows', `test "$(cat /pair/one)" = ${text}`);
      }
      await site().pods.cluster.objects.patch(RESOURCES.secrets, 'pair', { data: { word: base64('after') } });
      await site().patch('follows', { metadata: { labels: { colour: 'blue' } } });
      await site().untilExec('follows', 'test "$(cat /secret/word)" = after');
      await site().untilExec('follows', `test "$(cat /fields/labels)" = 'colour="blue"'`);
      assert.equal(await site().exec('follows', 'cat /stays'), '0');
      assert.equal(await site().log('follows'), '');
      assert.equal(await site().exec('follows', 'echo $WORD'), '0\n');
      // A container that is made anew has all of it as it is now.
      await site().exec('follows', 'kill 1');
      await site().until(
        'follows',
        (pod) => containerOf(pod)?.restartCount === 1 && containerOf(pod)?.ready === true,
      );
      assert.equal(await site().exec('follows', 'cat /stays; echo " $WORD"'), '5 5\n');
    });

    it('leaves nothing of a pod that is deleted, and everything of the host', async () => {
      const { metadata } = await site().pod('follows');
      const dir = site().pods.podDir(metadata.uid ?? '');
      assert.ok((await lstat(dir)).isDirectory());
      await site().remove('follows');
      await eventually('its folder is gone', () =>
        lstat(dir).then(
          () => false,
          () => true,
        ),
      );
      assert.equal(await readFile(host('folder/file'), 'utf8'), 'of the host\n');
      assert.ok(!(await readFile('/proc/mounts', 'utf8')).includes(metadata.uid ?? dir));
    });
  });
}

interface TokenClaims {
  readonly aud: readonly string[];
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly 'kubernetes.io': { readonly pod: { readonly name: string; readonly uid: string } };
}

function claimsOf(token: string): TokenClaims {
  const [, claims = ''] = token.split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as TokenClaims;
}

function fields(): readonly object[] {
  const field = (name: string, fieldPath: string): object => ({ path: name, fieldRef: { fieldPath } });
  return [
    field('name', 'metadata.name'),
    field('labels', 'metadata.labels'),
    field('annotations', 'metadata.annotations'),
    field('label', "metadata.labels['colour']"),
    { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } },
  ];
}

function volumeMounts(...pairs: readonly (readonly [string, string])[]): {
  readonly volumeMounts: readonly object[];
} {
  return { volumeMounts: pairs.map(([name, mountPath]) => ({ name, mountPath })) };
}

function object(kind: string, name: string, more: object): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, ...more };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
