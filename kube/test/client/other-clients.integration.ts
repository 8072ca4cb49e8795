import assert from 'node:assert/strict';
import { execFile, type ExecFileException } from 'node:child_process';
import path from 'node:path';
import {
  KubeConfig,
  makeInformer,
  type KubernetesListObject,
  type V1ConfigMap,
} from '@kubernetes/client-node';
import { eventually } from '@hawser/seams/testing';
import { HttpApiClient, MemoryStore, ResourceClient, RESOURCES } from '../../src/index.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/index.ts';

/** Other people's clients against our server: what they see is what is stored. */
describe('clients of others against the server', () => {
  let fixture: KubeFixture;
  let client: HttpApiClient;
  let maps: ResourceClient;

  beforeEach(async () => {
    fixture = await startKubeFixture({
      store: new MemoryStore({ historyEvents: 50 }),
      server: { limits: { stopMs: 200 } },
    });
    client = new HttpApiClient({ server: fixture.url });
    maps = new ResourceClient(client, RESOURCES.configmaps);
  });

  afterEach(async () => {
    client.close();
    await fixture.stop();
  });

  const configMap = (name: string, value: string, labels: Record<string, string> = {}) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, labels },
    data: { value },
  });

  it('informers of @kubernetes/client-node follow every write', async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: fixture.url, skipTLSVerify: true }, { name: 'u' });
    const list = async (): Promise<KubernetesListObject<V1ConfigMap>> => {
      const { metadata, items } = await maps.list('default');
      const body = { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items };
      return body as unknown as KubernetesListObject<V1ConfigMap>; // its classes only describe the JSON
    };
    const informer = makeInformer<V1ConfigMap>(config, '/api/v1/namespaces/default/configmaps', list);
    const events: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata }) => events.push(`${verb} ${metadata?.name ?? ''}`));
    }
    for (let i = 0; i < 5; i++) await maps.create(configMap(`before${i}`, ''));
    await informer.start();
    try {
      for (let i = 0; i < 20; i++) {
        await maps.create(configMap(`c${i}`, 'old'));
        if (i % 2 === 0) await maps.patch('default', `c${i}`, 'merge', { data: { value: 'new' } });
        if (i % 3 === 0) await maps.delete('default', `c${i}`);
      }
      const stored = (): string[] =>
        fixture.store
          .list({ group: '', resource: 'configmaps', namespace: 'default' })
          .entries.map(({ key, resourceVersion }) => `${key.name}@${resourceVersion}`)
          .sort();
      await eventually('its view equal to the store', () => {
        const shown = informer
          .list()
          .map(({ metadata }) => `${metadata?.name ?? ''}@${metadata?.resourceVersion ?? ''}`);
        return JSON.stringify(shown.sort()) === JSON.stringify(stored());
      });
      const count = (verb: string): number => events.filter((event) => event.startsWith(verb)).length;
      assert.deepEqual([count('add'), count('update'), count('delete')], [25, 10, 7]);
    } finally {
      await informer.stop();
    }
  });

  describe('python3-kubernetes', () => {
    const PYTHON = '/usr/bin/python3';
    const script = path.resolve(import.meta.dirname, '../../../test/client/python-client.py');

    function python(...args: string[]): Promise<{ code: number; output: string }> {
      return new Promise((resolve) => {
        const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
          resolve({
            code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
            output: stdout + stderr,
          });
        };
        execFile(PYTHON, args, { timeout: 60_000 }, done);
      });
    }

    before(async function () {
      this.timeout(60_000);
      if ((await python('-c', 'import kubernetes')).code === 0) return;
      console.log(`      ${PYTHON} has no module kubernetes (Debian: python3-kubernetes): left out`);
      this.skip();
    });

    it('lists, pages, selects, watches from a version, learns that a version is gone', async function () {
      this.timeout(60_000);
      for (let i = 0; i < 7; i++)
        await maps.create(configMap(`c${i}`, 'v', { parity: i % 2 === 0 ? 'even' : 'odd' }));
      const { code, output } = await python(script, fixture.url);
      assert.equal(code, 0, output);
      const facts = JSON.parse(output) as Record<string, unknown>;
      assert.deepEqual(facts, {
        names: ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'],
        pages: [['c0', 'c1', 'c2'], ['c3', 'c4', 'c5'], ['c6']],
        remaining: [4, 1, null],
        oneVersionForAllPages: true,
        odd: ['c1', 'c3', 'c5'],
        watched: ['ADDED new', 'MODIFIED new', 'DELETED new'],
        versionsGrow: true,
        watchedFromTheMiddle: ['MODIFIED new', 'DELETED new'],
        goneWatch: 410,
        conflict: [409, 'Conflict'],
        missing: [404, 'NotFound'],
      });
    });
  });
});
