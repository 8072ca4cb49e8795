import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import {
  HttpApiClient,
  isExpired,
  isTooLargeVersion,
  objectInformer,
  resourceListerWatcher,
  RESOURCES,
  StatusError,
  type ApiMethod,
  type InformerOptions,
  type KubeObject,
  type ListerWatcherScope,
  type Informer,
} from '../../src/index.ts';
import { recording, recordings, type Exchange, type RecordingFile } from '../recordings.ts';
import { ReplayServer } from './replay-server.ts';

/** What a recorded request must look like when this client sends it. */
function sortedQuery(url: URL): string[] {
  return [...url.searchParams].map(([name, value]) => `${name}=${value}`).sort();
}

describe('against recordings of a real API server', () => {
  let server: ReplayServer;
  let client: HttpApiClient;
  let informers: Informer[];
  let errors: string[];

  beforeEach(async () => {
    server = new ReplayServer();
    await server.start();
    client = new HttpApiClient({ server: server.url, retries: 0, random: { next: () => 0 } });
    informers = [];
    errors = [];
  });

  afterEach(async () => {
    await Promise.all(informers.map((informer) => informer.stop()));
    client.close();
    await server.stop();
  });

  const files: RecordingFile[] = ['crd', 'crud', 'list', 'node', 'patch'];
  for (const file of files) {
    it(`sends every request of ${file}.json as it was recorded, and understands its answer`, async () => {
      let compared = 0;
      for (const exchange of recordings(file).values()) {
        if (await sameOnTheWire(exchange)) compared += 1;
      }
      assert.ok(compared > 0.9 * recordings(file).size, `${compared} of ${recordings(file).size}`);
    });
  }

  /** False for what this client cannot send: deliberately broken JSON and YAML, and watches. */
  async function sameOnTheWire({ name, request, response }: Exchange): Promise<boolean> {
    if (typeof request.body === 'string' || response.lines !== undefined) return false;
    const recorded = new URL(request.path, 'http://server');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k.toLowerCase(), v]));
    const { accept, 'content-type': contentType, ...others } = headers;
    // A 401 is asked again with fresh credentials.
    const answers = response.status === 401 ? 2 : 1;
    for (let i = 0; i < answers; i++) server.then({ name, request, response });
    const answered = client.request({
      method: request.method as ApiMethod,
      path: recorded.pathname,
      query: Object.fromEntries(recorded.searchParams),
      headers: others,
      ...(request.body !== undefined && { body: request.body }),
      ...(contentType !== undefined && { contentType }),
      ...(accept !== undefined && { accept }),
    });
    if (response.status < 300) assert.deepEqual(await answered, response.body ?? '', name);
    else await assert.rejects(answered, (error) => isRefusal(error, response, name));
    const sent = server.seen.at(-1);
    assert.ok(sent);
    assert.equal(`${sent.method} ${sent.url.pathname}`, `${request.method} ${recorded.pathname}`, name);
    assert.deepEqual(sortedQuery(sent.url), sortedQuery(recorded), name);
    assert.deepEqual(sent.body, request.body, name);
    for (const [header, value] of Object.entries(headers)) {
      assert.equal(sent.headers[header], [value].flat().join(', '), name);
    }
    return true;
  }

  function isRefusal(
    error: unknown,
    { status, body, headers }: Exchange['response'],
    about: string,
  ): boolean {
    assert.ok(error instanceof StatusError, `${about}: ${String(error)}`);
    assert.equal(error.status.code, status, about);
    if (typeof body === 'object') {
      const retryAfter = Number(headers['Retry-After'] ?? NaN);
      const { details, ...rest } = body as { details?: object };
      const expected = Number.isNaN(retryAfter)
        ? body
        : { ...rest, details: { retryAfterSeconds: retryAfter, ...details } };
      assert.deepEqual(error.status, expected, about);
    } else {
      assert.ok(typeof body === 'string' && error.message.includes(body.trim()), about);
    }
    return true;
  }

  it('knows the ways in which a version is gone, or not there yet', async () => {
    const verdicts: [string, RecordingFile, boolean, boolean][] = [
      ['continue-expired', 'list', true, false],
      ['rv-exact-compacted', 'list', true, false],
      ['list-410-http', 'watch', true, false],
      ['rv-too-large', 'list', false, true],
      ['rv-too-large-get', 'list', false, true],
      ['rv-bad', 'list', false, false],
      ['watch-forbidden', 'watch', false, false],
    ];
    for (const [name, file, expired, tooLarge] of verdicts) {
      server.then(recording(file, name));
      await assert.rejects(client.request({ method: 'GET', path: '/x' }), (error) => {
        assert.deepEqual([isExpired(error), isTooLargeVersion(error)], [expired, tooLarge], name);
        return true;
      });
    }
  });

  const lister = (resource: (typeof RESOURCES)[keyof typeof RESOURCES], scope: ListerWatcherScope) =>
    resourceListerWatcher(client, resource, scope);

  function inform(
    scope: ListerWatcherScope,
    options: Partial<InformerOptions<KubeObject>> = {},
    resource: (typeof RESOURCES)[keyof typeof RESOURCES] = RESOURCES.configmaps,
  ): Informer {
    const informer = objectInformer({
      name: 'test',
      listerWatcher: lister(resource, scope),
      random: { next: () => 0.5 },
      onError: (error, phase) => errors.push(`${phase}: ${error.message}`),
      ...options,
    });
    informers.push(informer);
    informer.start();
    return informer;
  }

  const view = (informer: Informer): string[] =>
    informer.lister
      .list()
      .map(({ name, resourceVersion }) => `${name}@${resourceVersion}`)
      .sort();

  it('walks a list in pages as recorded, and gives items their kind', async () => {
    const walk = ['walk-leases-1', 'walk-leases-2', 'walk-leases-3'].map((name) => recording('list', name));
    server.then(...walk, recording('watch', 'watch-timeout'));
    const informer = inform(
      { namespace: 'fx-list' },
      { initialVersion: '', pageSize: 3, streamingLists: false },
      RESOURCES.leases,
    );
    await informer.waitForSync();
    const names = informer.lister.list().map(({ name }) => name);
    assert.deepEqual(names, ['l1', 'l2', 'l3', 'l4', 'l5', 'l6', 'l7']);
    for (const [i, { request }] of walk.entries()) {
      const recorded = new URL(request.path, 'http://server');
      assert.equal(server.seen[i]?.url.pathname, recorded.pathname);
      assert.deepEqual(sortedQuery(server.seen[i].url), sortedQuery(recorded));
    }
    const one = informer.lister.get('fx-list', 'l1')?.value;
    assert.deepEqual([one?.apiVersion, one?.kind], ['coordination.k8s.io/v1', 'Lease']);
    assert.equal('managedFields' in (one?.metadata ?? {}), false);
    await eventually('the watch', () => server.seen.length > 3);
    const { searchParams } = server.seen[3]?.url ?? new URL('http://none');
    assert.equal(searchParams.get('resourceVersion'), '2245', 'the version of the list');
    assert.equal(searchParams.get('allowWatchBookmarks'), 'true');
  });

  it('reads a streaming list, sent as recorded, with what happens after it', async () => {
    const exchange = recording('watch', 'watch-sendinitialevents');
    server.then(exchange);
    const informer = inform({ namespace: 'fx-watch', labelSelector: 'app=w' });
    await informer.waitForSync();
    await eventually('the live event', () => informer.lastVersion === '2701');
    assert.deepEqual(view(informer), ['w3@2701', 'w4@2700']);
    const [sent] = server.seen;
    assert.ok(sent);
    const timeout = Number(sent.url.searchParams.get('timeoutSeconds'));
    assert.ok(timeout >= 300 && timeout <= 600);
    sent.url.searchParams.delete('timeoutSeconds');
    const recorded = new URL(exchange.request.path, 'http://server');
    recorded.searchParams.set('watch', 'true'); // recorded as watch=1, which means the same
    assert.deepEqual(sortedQuery(sent.url), sortedQuery(recorded));
    assert.deepEqual(errors, []);
  });

  it('falls back to paged lists when refused with the 422 of a server without them', async () => {
    server.then(
      recording('watch', 'watch-sendinitialevents-nomatch'),
      recording('watch', 'list-before'),
      recording('watch', 'watch-add-modify-delete'),
    );
    const informer = inform({ namespace: 'fx-watch', labelSelector: 'app=w' });
    await eventually('the watch', () => server.seen.length >= 3);
    assert.equal(server.seen[1]?.url.searchParams.get('resourceVersion'), '0');
    assert.equal(server.seen[2]?.url.searchParams.get('resourceVersion'), '2689');
    await eventually('its events', () => informer.lastVersion === '2692');
    assert.deepEqual(view(informer), []);
    assert.equal(errors.length, 1);
  });

  it('follows label transitions: what is no longer selected is deleted', async () => {
    server.then(recording('watch', 'list-before'), recording('watch', 'watch-label-transitions'));
    const informer = inform({ namespace: 'fx-watch', labelSelector: 'app=w' }, { streamingLists: false });
    const changes: string[] = [];
    informer.addHandler((old, current) => {
      changes.push(
        current === undefined
          ? `- ${old?.name}`
          : old === undefined
            ? `+ ${current.name}`
            : `~ ${current.name}`,
      );
    });
    const { lines = [] } = recording('watch', 'watch-label-transitions').response;
    const expected = lines.map(({ type, object }) => {
      const { name } = (object as unknown as KubeObject).metadata;
      return `${{ ADDED: '+', MODIFIED: '~', DELETED: '-' }[type] ?? '?'} ${name}`;
    });
    await eventually('all events', () => changes.length === expected.length);
    assert.deepEqual(changes, expected);
  });

  it('goes on from a bookmark, after the server ended the watch', async () => {
    const bookmarked = recording('watch', 'watch-bookmark-before-timeout');
    server.then(recording('watch', 'list-before'), bookmarked, recording('watch', 'watch-timeout'));
    const informer = inform({ namespace: 'fx-watch', labelSelector: 'app=w' }, { streamingLists: false });
    await eventually('the next watch', () => server.seen.length >= 3);
    assert.equal(informer.lastVersion, '2707');
    assert.equal(server.seen[2]?.url.searchParams.get('resourceVersion'), '2707');
  });

  it('lists again after the ERROR event of a history that is gone', async () => {
    server.then(
      recording('watch', 'list-before'),
      recording('watch', 'watch-410-event'),
      recording('watch', 'list-before'),
      recording('watch', 'watch-rv-0'),
    );
    const informer = inform({ namespace: 'fx-watch', labelSelector: 'app=w' }, { streamingLists: false });
    await eventually('the second list and its watch', () => server.seen.length >= 4);
    const { searchParams } = server.seen[2]?.url ?? new URL('http://none');
    assert.equal(searchParams.get('resourceVersion'), '2689');
    assert.equal(searchParams.get('resourceVersionMatch'), 'NotOlderThan');
    assert.equal(informer.hasSynced, true);
    assert.match(errors[0] ?? '', /watch: too old resource version: 1 \(2230\)/);
  });

  it('reads the pods of one node by field selector', async () => {
    const pods = recording('watch', 'watch-pods-of-node');
    server.then(recording('list', 'list-empty'), pods);
    const informer = inform(
      { fieldSelector: 'spec.nodeName=fx-node1' },
      { streamingLists: false },
      RESOURCES.pods,
    );
    const last = pods.response.lines?.at(-1)?.object as unknown as KubeObject;
    await eventually('the last event', () => informer.lastVersion === last.metadata.resourceVersion);
    assert.equal(server.seen[0]?.url.searchParams.get('fieldSelector'), 'spec.nodeName=fx-node1');
  });
});
