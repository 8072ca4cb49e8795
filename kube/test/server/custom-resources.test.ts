import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { meta, names, send, watch, type Reply } from './http.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/ex.io/v1/namespaces/default/widgets';
const MERGE = { 'content-type': 'application/merge-patch+json' };

interface CrdOptions {
  readonly plural?: string;
  readonly kind?: string;
  readonly shortNames?: readonly string[];
  readonly properties?: object;
}

function crd({
  plural = 'widgets',
  kind = 'Widget',
  shortNames = [],
  properties = {},
}: CrdOptions = {}): object {
  const schema = {
    openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
  };
  return {
    metadata: { name: `${plural}.ex.io` },
    spec: {
      group: 'ex.io',
      scope: 'Namespaced',
      names: { plural, kind, shortNames },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

function widget(name: string, spec: object = {}, finalizers: string[] = []): object {
  return {
    apiVersion: 'ex.io/v1',
    kind: 'Widget',
    metadata: { name, ...(finalizers.length > 0 ? { finalizers } : {}) },
    spec,
  };
}

describe('server: custom resources come and go', () => {
  let fixture: KubeFixture;
  let errors: Error[];

  beforeEach(async () => {
    errors = [];
    fixture = await startKubeFixture({ server: { onError: (error) => errors.push(error) } });
  });
  afterEach(async () => {
    await fixture.stop();
    assert.deepEqual(errors, []);
  });

  const post = (path: string, body: object): Promise<Reply> => send(fixture.url, 'POST', path, { body });
  const get = (path: string): Promise<Reply> => send(fixture.url, 'GET', path);

  async function define(options: CrdOptions = {}): Promise<void> {
    const created = await post(CRDS, crd(options));
    assert.equal(created.status, 201, created.text);
    await eventually(
      'it is served',
      async () =>
        (await get(`/apis/ex.io/v1/namespaces/default/${options.plural ?? 'widgets'}`)).status === 200,
    );
  }

  it('serves a definition that was there before the server', async () => {
    await define();
    await post(WIDGETS, widget('a', {}));
    const second = await startKubeFixture({ store: fixture.store, namespaces: [] });
    try {
      const reply = await send(second.url, 'GET', `${WIDGETS}/a`);
      assert.equal(reply.status, 200);
    } finally {
      await second.server.stop();
    }
  });

  it('takes a changed schema from one request to the next', async () => {
    await define({ properties: { size: { type: 'integer', maximum: 3 } } });
    assert.equal((await post(WIDGETS, widget('a', { size: 4 }))).status, 422);
    const current = await get(`${CRDS}/widgets.ex.io`);
    const changed = crd({
      properties: { size: { type: 'integer', maximum: 5 }, color: { type: 'string', default: 'red' } },
    });
    const put = await send(fixture.url, 'PUT', `${CRDS}/widgets.ex.io`, {
      body: { ...changed, metadata: current.body['metadata'] },
    });
    assert.equal(put.status, 200, put.text);
    await eventually('the new schema holds', async () => {
      const reply = await post(`${WIDGETS}?dryRun=All`, widget('b', { size: 4 }));
      return reply.status === 201 && (reply.body['spec'] as { color?: string }).color === 'red';
    });
  });

  it('does not establish a definition whose names another has, until that is gone', async () => {
    await define({ shortNames: ['wd'] });
    await post(CRDS, crd({ plural: 'wheels', kind: 'Wheel', shortNames: ['wd'] }));
    const condition = async (): Promise<string> => {
      const { body } = await get(`${CRDS}/wheels.ex.io`);
      const { conditions } = body['status'] as {
        conditions: { type: string; status: string; reason: string }[] | null;
      };
      return (conditions ?? []).map(({ type, status, reason }) => `${type}=${status}:${reason}`).join(' ');
    };
    await eventually(
      'a conflict',
      async () =>
        (await condition()) === 'NamesAccepted=False:ShortNamesConflict Established=False:NotAccepted',
    );
    assert.equal((await get('/apis/ex.io/v1/namespaces/default/wheels')).status, 404);
    await send(fixture.url, 'DELETE', `${CRDS}/widgets.ex.io`);
    await eventually('it is established', async () => (await condition()).includes('Established=True'));
    assert.equal((await get('/apis/ex.io/v1/namespaces/default/wheels')).status, 200);
  });

  it('deletes all objects with their definition, and shows that to watchers', async () => {
    await define();
    for (const name of ['a', 'b', 'c']) await post(WIDGETS, widget(name));
    const watching = await watch(
      fixture.url,
      `${WIDGETS}?watch=1&resourceVersion=${fixture.store.resourceVersion}`,
    );
    const deleted = await send(fixture.url, 'DELETE', `${CRDS}/widgets.ex.io`);
    assert.deepEqual(meta(deleted.body)['finalizers'], ['customresourcecleanup.apiextensions.k8s.io']);
    await eventually(
      'the definition is gone',
      async () => (await get(`${CRDS}/widgets.ex.io`)).status === 404,
    );
    await eventually('three deletions', () => watching.events.length >= 3);
    assert.ok(watching.events.slice(0, 3).every(({ type }) => type === 'DELETED'));
    await within('the watch of what is not served any more ends', watching.ended);
    assert.deepEqual(
      watching.events.slice(3).map(({ type, object }) => [type, object['reason']]),
      [['ERROR', 'Expired']],
    );
    assert.equal((await get(WIDGETS)).status, 404);
    assert.deepEqual(fixture.store.list({ group: 'ex.io', resource: 'widgets' }).entries, []);
    await define(); // the same again, from the beginning
    assert.deepEqual(names((await get(WIDGETS)).body), []);
  });

  it('waits with the end of a definition for the finalizers of its objects, and creates nothing meanwhile', async () => {
    await define();
    await post(WIDGETS, widget('held', {}, ['ex.io/hold']));
    await post(WIDGETS, widget('free'));
    await send(fixture.url, 'DELETE', `${CRDS}/widgets.ex.io`);
    await eventually('the free one is gone', async () => names((await get(WIDGETS)).body).join() === 'held');
    const refused = await post(WIDGETS, widget('late'));
    assert.equal(refused.status, 405, refused.text);
    assert.equal((await get(`${CRDS}/widgets.ex.io`)).status, 200);
    const released = await send(fixture.url, 'PATCH', `${WIDGETS}/held`, {
      body: { metadata: { finalizers: null } },
      headers: MERGE,
    });
    assert.equal(released.status, 200, released.text);
    await eventually(
      'the definition is gone',
      async () => (await get(`${CRDS}/widgets.ex.io`)).status === 404,
    );
  });

  it('describes custom resources in OpenAPI v3', async () => {
    await define({ properties: { size: { type: 'integer', description: 'how big' } } });
    const { body } = await get('/openapi/v3');
    const { serverRelativeURL } =
      (body['paths'] as Record<string, { serverRelativeURL: string }>)['apis/ex.io/v1'] ?? {};
    const document = await get(serverRelativeURL ?? '');
    assert.ok(document.text.includes('how big'));
  });
});
