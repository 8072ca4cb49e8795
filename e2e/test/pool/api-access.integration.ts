import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { revokeNode } from '@hawser/cloudcore';
import {
  HttpApiClient,
  objectInformer,
  resourceListerWatcher,
  RESOURCES,
  staticCredentials,
} from '@hawser/kube';
import { CALLER_HEADER, encodeCaller, StreamDuplex, type StreamCaller } from '@hawser/proto';
import { delay } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { Kubectl } from '../kubectl/kubectl.ts';
import { identityOf, RawEdge } from '../spine/raw-edge.ts';
import { AccessSite } from './access-site.ts';
import type { Program } from './program.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const JSON_BODY = { headers: { 'content-type': 'application/json' } };
const MERGE = { headers: { 'content-type': 'application/merge-patch+json' } };
const WAIT = { deadlineMs: 20_000 };
const KUBECTL = { path: '/usr/bin/kubectl', version: 'of the machine' };
const REFUSED = 'hawser_api_access_refused_total\\{reason="caller"\\}';
const OBJECTS = scaled(500, 5000);
const WATCH_MS = scaled(2_000, 35_000);
/** Three heartbeats that are missed end a session: 6 s. */
const HELD_MS = scaled(6_500, 25_000);

interface WatchEvent {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string; readonly resourceVersion: string } };
}

/** Reads the events of a watch as they come. */
function watching(response: IncomingMessage): {
  readonly events: WatchEvent[];
  readonly ended: Promise<void>;
} {
  const events: WatchEvent[] = [];
  const read = async (): Promise<void> => {
    let rest = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) events.push(JSON.parse(line) as WatchEvent);
    }
  };
  const ended = read();
  ended.catch(() => {}); // looked at by whoever waits for it
  return { events, ended };
}

describe('programs at an edge and the API server in the cloud', function () {
  this.timeout(scaled(60_000, 300_000));
  let site: AccessSite;
  let edge: SiteEdge;
  let other: SiteEdge;
  let editor: Program;
  let direct: Program;

  before(async () => {
    site = await AccessSite.open({ controlPlane: { controllers: false } });
    edge = await site.edge('edge-1', ['editor', 'viewer']);
    other = await site.edge('edge-2', ['viewer', 'reader']);
    const token = await site.token('editor', 'edge-1');
    editor = await site.at(edge, token);
    direct = site.direct(token);
  });
  after(() => site.close());

  /** Makes ConfigMaps at the API server. */
  const make = (prefix: string, count: number, text: string): Promise<void> =>
    site.cluster.objects.createAll(
      Array.from({ length: count }, (_, index) => configMap(`${prefix}-${index}`, text)),
    );

  it('write and read with the rights of their account', async () => {
    const created = await editor.call('POST', MAPS, { ...JSON_BODY, body: configMap('own', 'one') });
    assert.equal(created.code, 201, created.body.toString());
    const patched = await editor.call('PATCH', `${MAPS}/own`, { ...MERGE, body: { data: { text: 'two' } } });
    assert.equal(patched.code, 200);
    const read = await editor.call('GET', `${MAPS}/own?resourceVersion=`);
    assert.deepEqual(read.body, (await direct.call('GET', `${MAPS}/own`)).body);
    assert.match(read.body.toString(), /"two"/);
    const conflict = await editor.call('POST', MAPS, { ...JSON_BODY, body: configMap('own', 'three') });
    assert.equal(conflict.code, 409);
    assert.equal((await editor.call('DELETE', `${MAPS}/own`)).code, 200);
    assert.equal((await direct.call('GET', `${MAPS}/own`)).code, 404);
  });

  it('may be a kubectl', async function () {
    if (!existsSync(KUBECTL.path)) this.skip();
    const token = await site.token('editor', 'edge-1');
    const kubeconfig = await site.kubeconfig(edge, token);
    const kubectl = new Kubectl(KUBECTL, kubeconfig, site.cluster.dir);
    await kubectl.ok(['create', 'configmap', 'by-kubectl', '--from-literal=text=one']);
    await kubectl.ok(['patch', 'configmap', 'by-kubectl', '--type=merge', '-p', '{"data":{"text":"two"}}']);
    const read = await kubectl.ok(['get', 'configmap', 'by-kubectl', '-o', 'jsonpath={.data.text}']);
    assert.equal(read, 'two');
    assert.match(await kubectl.ok(['get', 'configmaps']), /by-kubectl +1/);
    const refused = await kubectl.run(['get', 'secrets']);
    assert.match(
      refused.stderr,
      /Forbidden.*secrets is forbidden: User "system:serviceaccount:default:editor"/,
    );
    const named = await kubectl.run(['get', 'configmaps', '--as=system:admin']);
    assert.match(named.stderr, /Forbidden/);
    await kubectl.ok(['delete', 'configmap', 'by-kubectl']);
    assert.equal((await direct.call('GET', `${MAPS}/by-kubectl`)).code, 404);
  });

  it('hear what the API server says where they have no rights, word for word', async () => {
    const token = await site.token('viewer', 'edge-1');
    const viewer = await site.at(edge, token);
    const itself = site.direct(token);
    const calls = [
      ['GET', '/api/v1/namespaces/default/secrets'],
      ['GET', MAPS],
      ['GET', '/apis/apps/v1/namespaces/kube-system/deployments/none'],
      ['DELETE', `${MAPS}/own`],
      ['GET', '/metrics'],
    ] as const;
    for (const [method, path] of calls) {
      const answer = await viewer.call(method, path);
      const expected = await itself.call(method, path);
      assert.equal(answer.code, 403, path);
      assert.equal(expected.code, 403, path);
      assert.equal(answer.body.toString(), expected.body.toString());
      assert.equal(answer.headers['content-type'], expected.headers['content-type']);
    }
    const body = configMap('not-mine', 'x');
    const answer = await viewer.call('POST', MAPS, { ...JSON_BODY, body });
    assert.equal(
      answer.body.toString(),
      (await itself.call('POST', MAPS, { ...JSON_BODY, body })).body.toString(),
    );
  });

  it(`list ${OBJECTS} objects as the API server has them, byte by byte`, async () => {
    await make('many', OBJECTS, 'x'.repeat(800));
    const { resourceVersion } = (
      JSON.parse((await direct.call('GET', `${MAPS}?limit=1`)).body.toString()) as {
        metadata: { resourceVersion: string };
      }
    ).metadata;
    // Of one version: the next write of somebody else is another list.
    const path = `${MAPS}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
    for (const encoding of ['identity', 'gzip']) {
      const headers = { 'accept-encoding': encoding };
      const expected = await direct.call('GET', path, { headers });
      const startedMs = performance.now();
      const answer = await editor.call('GET', path, { headers });
      const elapsedMs = Math.round(performance.now() - startedMs);
      assert.equal(answer.code, 200);
      assert.equal(answer.headers['content-encoding'], expected.headers['content-encoding']);
      assert.ok(answer.body.equals(expected.body), `${answer.body.length} bytes and ${expected.body.length}`);
      assert.ok(encoding === 'gzip' || answer.body.length > OBJECTS * 900);
      assert.ok(elapsedMs < 20_000, `${elapsedMs} ms`);
    }
  });

  it(`watch for ${WATCH_MS / 1000} s, and hear each change once and in order`, async () => {
    const watch = watching(await editor.begin('GET', `${MAPS}?watch=1&fieldSelector=metadata.name%3Dclock`));
    const startedMs = performance.now();
    await site.cluster.objects.create(configMap('clock', '0'));
    let round = 1;
    for (; performance.now() - startedMs < WATCH_MS; round++) {
      await site.cluster.objects.setText(['clock'], String(round));
      await eventually(`round ${round}`, () => watch.events.length === round + 1, { deadlineMs: 5000 });
    }
    assert.deepEqual(
      watch.events.map(({ type }) => type),
      ['ADDED', ...Array.from({ length: round - 1 }, () => 'MODIFIED')],
    );
    const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((left, right) => left - right),
    );
    assert.equal(new Set(versions).size, versions.length);
  });

  it('of other nodes are refused, and a stolen node is none of them', async () => {
    const elsewhere = await site.at(other, await site.token('editor', 'edge-1'));
    const refused = await elsewhere.call('GET', `${MAPS}/none`);
    assert.ok(refused.code === 401 || refused.code === 403, refused.body.toString());
    await other.stop();
    const raw = new RawEdge('edge-2', await identityOf(other), site.cluster.address());
    try {
      await eventually('its session', () => raw.tunnel !== undefined, WAIT);
      const before = await site.cluster.hubMetric(REFUSED);
      const pod = { podNamespace: 'default', podName: 'editor-edge-1', podUid: site.uid('editor-edge-1') };
      const groups = ['system:masters'];
      const lies: StreamCaller[] = [
        { username: 'system:serviceaccount:default:editor', uid: '', groups },
        { username: 'system:serviceaccount:default:editor', uid: '', groups, ...pod },
        { username: 'system:serviceaccount:kube-system:default', uid: '', groups },
        { username: 'system:node:edge-2', uid: '', groups },
        { username: 'system:admin', uid: '', groups },
      ];
      for (const caller of lies) {
        const { code, text } = await stolen(raw, caller, MAPS);
        assert.equal(code, 403, text);
        assert.match(text, /for the service accounts of pods that are bound to it, and for nobody else/);
      }
      // What it may is what the pod that it really has may: nothing.
      const viewer = { username: 'system:serviceaccount:default:viewer', uid: '', groups };
      const own = await stolen(raw, viewer, MAPS);
      assert.equal(own.code, 403);
      assert.match(own.text, /User \\"system:serviceaccount:default:viewer\\" cannot list resource/);
      assert.equal((await site.cluster.hubMetric(REFUSED)) - before, lies.length);
    } finally {
      await raw.stop();
    }
    await other.start();
    await other.untilInSync();
  });

  it('go on after the hub was restarted: watches end, and nothing is missed', async () => {
    const { port, certificate: ca } = await site.place(edge);
    const credentials = staticCredentials({ token: await site.token('editor', 'edge-1'), tls: { ca } });
    const client = new HttpApiClient({ server: `https://127.0.0.1:${port}`, credentials });
    const informer = objectInformer({
      name: 'configmaps',
      listerWatcher: resourceListerWatcher(client, RESOURCES.configmaps, {
        namespace: 'default',
        fieldSelector: 'metadata.name=clock',
      }),
      ...{ backoffBaseMs: 100, backoffCapMs: 1000 },
    });
    const heard: string[] = [];
    informer.addHandler((_, current) => {
      const data = current?.value['data'] as { readonly text: string } | undefined;
      heard.push(data?.text ?? 'gone');
    });
    try {
      informer.start();
      await informer.waitForSync();
      const watch = watching(
        await editor.begin('GET', `${MAPS}?watch=1&fieldSelector=metadata.name%3Dclock`),
      );
      await eventually('it is watched', () => watch.events.length === 1, WAIT);
      await site.cluster.killHub();
      await within('the watch ends', watch.ended, 20_000); // as an API server ends it, not in the middle
      const without = await editor.call('GET', MAPS);
      assert.equal(without.code, 503);
      assert.match(without.body.toString(), /"reason":"ServiceUnavailable"/);
      await site.cluster.objects.setText(['clock'], 'while it was away');
      await site.cluster.startHub();
      await eventually('the change is heard', () => heard.at(-1) === 'while it was away', {
        deadlineMs: 30_000,
      });
      await site.cluster.objects.setText(['clock'], 'afterwards');
      await eventually('the next one is heard', () => heard.at(-1) === 'afterwards', WAIT);
    } finally {
      await informer.stop();
      client.close();
    }
  });

  it('make 100 requests at a time, half of which are not read, and the session holds', async () => {
    const before = await edge.admin.status();
    const held: IncomingMessage[] = [];
    for (let number = 0; number < 50; number++) {
      const response = await editor.begin('GET', MAPS); // a megabyte or more, and is not read
      assert.equal(response.statusCode, 200);
      held.push(response);
    }
    const startedMs = performance.now();
    let calls = 0;
    let slowestMs = 0;
    while (performance.now() - startedMs < HELD_MS) {
      const roundMs = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => editor.call('GET', `${MAPS}/many-${index}`)),
      );
      assert.ok(answers.every(({ code }) => code === 200));
      slowestMs = Math.max(slowestMs, performance.now() - roundMs);
      calls += answers.length;
      await delay(250);
    }
    const after = await edge.admin.status();
    assert.equal(after.session.epoch, before.session.epoch);
    assert.equal(after.session.state, 'up');
    assert.ok(slowestMs < 5000, `50 calls took ${Math.round(slowestMs)} ms`);
    assert.ok(calls >= 100, `${calls} calls`);
    for (const response of held) response.destroy();
    await eventually(
      'places are free',
      async () => (await site.cluster.hubMetric('hawser_api_access_open_requests')) === 0,
      WAIT,
    );
  });

  it('of a node that is revoked hear no more', async () => {
    const reader = await site.at(other, await site.token('reader', 'edge-2'));
    const watch = watching(await reader.begin('GET', `${MAPS}?watch=1&fieldSelector=metadata.name%3Dclock`));
    assert.equal((await reader.call('GET', `${MAPS}/clock`)).code, 200);
    await revokeNode(site.cluster.client, 'edge-2');
    await within('the watch ends', watch.ended, 20_000);
    const { code, body } = await reader.call('GET', `${MAPS}/clock`);
    assert.ok(code === 503 || (code === 403 && body.includes('was revoked')), body.toString());
    await eventually(
      'it is shut out',
      async () => (await reader.call('GET', `${MAPS}/clock`)).code === 503,
      WAIT,
    );
  });
});

/** A request that a stolen node makes, with whatever it says of its caller. */
async function stolen(
  raw: RawEdge,
  caller: StreamCaller,
  path: string,
): Promise<{ code: number; text: string }> {
  const stream = await raw.tunnel?.openStream('api', { priority: 'bulk' });
  assert.ok(stream);
  const duplex = new StreamDuplex(stream);
  const outgoing = httpRequest({
    path,
    createConnection: () => duplex,
    headers: { host: 'api', [CALLER_HEADER]: encodeCaller(caller) },
  });
  outgoing.end();
  const [response] = (await within('an answer', once(outgoing, 'response'))) as [IncomingMessage];
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
  duplex.destroy();
  return { code: response.statusCode ?? 0, text };
}
