import assert from 'node:assert/strict';
import { once } from 'node:events';
import { TestAuthority } from '@hawser/proto/testing';
import { ResourceClient, RESOURCES } from '@hawser/kube';
import { eventually, within } from '@hawser/seams/testing';
import { WebSocket } from 'ws';
import { askKubelet, callKubelet, type ClientPem, type KubeletCall } from './kubelet-call.ts';
import { NODE, type KubectlSite } from './kubectl-site.ts';

/** As Go writes it for kube-apiserver. Source: k8s.io/kubernetes pkg/kubelet/client, apimachinery util/proxy. */
const PLAIN = ['User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'];
const UPGRADE = [
  'User-Agent: kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc',
  'Content-Length: 0',
  'Connection: Upgrade',
  'Upgrade: SPDY/3.1',
  'X-Forwarded-For: 192.0.2.7',
];
const REMOTE_COMMAND = ['v5', 'v4', 'v3', 'v2'].map(
  (version) => `X-Stream-Protocol-Version: ${version}.channel.k8s.io`,
);
/** A ping, of SPDY/3.1: whoever speaks it sends it back. */
const PING = Buffer.from([0x80, 0x03, 0x00, 0x06, 0, 0, 0, 4, 0, 0, 0, 1]);
const WAIT = { deadlineMs: 15_000 };
/** One line of the text format. Source: Prometheus, exposition formats; what metrics-server parses. */
const SAMPLE = /^([a-z_]+)(?:\{([a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*)\})? (-?[\d.e+-]+)(?: (\d+))?$/;

/** A hub as kube-apiserver and metrics-server come to it, and as others try to. */
export function describeApiServer(of: () => KubectlSite): void {
  let authority: TestAuthority;
  let apiServer: ClientPem;
  const call = async (line: string, more: Partial<KubeletCall> = {}): Promise<KubeletCall> => ({
    ...(await of().kubeletAt(NODE)),
    ...{ line, client: apiServer, headers: PLAIN },
    ...more,
  });

  before(async function () {
    this.timeout(30_000);
    authority = await TestAuthority.create('CN=clients-of-the-cluster');
    apiServer = await client(authority, 'O=system:masters, CN=kube-apiserver-kubelet-client');
    await trust(of(), authority);
    const isKnown = async (): Promise<boolean> =>
      (await askKubelet(await call('GET /healthz'))).status === 200;
    await eventually('the hub knows the authority', isKnown, WAIT);
  });

  it('answers what kube-apiserver asks: logs', async () => {
    const path = '/containerLogs/default/pair/b?limitBytes=6&timestamps=false';
    assert.deepEqual(await askKubelet(await call(`GET ${path}`)), { status: 200, text: 'from b' });
    const many = '/containerLogs/default/long-log/main?follow=true&tailLines=3';
    const { status, socket, head, headers } = await callKubelet(await call(`GET ${many}`));
    assert.equal(status, 200);
    assert.equal(headers.get('transfer-encoding'), 'chunked');
    let seen = head.toString();
    socket.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    socket.resume();
    await eventually('three lines', () => seen.split('of a long log').length === 4, WAIT);
    socket.destroy();
    await of().untilQuiet();
  }).timeout(30_000);

  it('upgrades what kube-apiserver upgrades: exec, attach, port-forward', async () => {
    const orders: readonly (readonly [string, readonly string[], string])[] = [
      [
        'POST /exec/default/web/main?command=sh&command=-c&command=cat&error=1&input=1&output=1',
        REMOTE_COMMAND,
        'v4.channel.k8s.io',
      ],
      ['POST /exec/default/web/main?command=sh&input=1&output=1&tty=1', REMOTE_COMMAND, 'v4.channel.k8s.io'],
      ['POST /attach/default/talk/plain?error=1&input=1&output=1', REMOTE_COMMAND, 'v4.channel.k8s.io'],
      [
        'POST /portForward/default/web',
        ['X-Stream-Protocol-Version: portforward.k8s.io'],
        'portforward.k8s.io',
      ],
    ];
    for (const [line, protocols, chosen] of orders) {
      const answer = await callKubelet(await call(line, { headers: [...UPGRADE, ...protocols] }));
      const { status, headers, socket, head } = answer;
      assert.equal(status, 101, line);
      assert.deepEqual(
        [headers.get('connection'), headers.get('upgrade'), headers.get('x-stream-protocol-version')],
        ['Upgrade', 'SPDY/3.1', chosen],
        line,
      );
      let seen = head;
      socket.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
      socket.resume();
      socket.write(PING);
      await eventually(`bytes go both ways: ${line}`, () => seen.includes(PING), WAIT);
      socket.destroy();
    }
  }).timeout(30_000);

  it('serves a WebSocket that an API server passes on', async () => {
    const { host, port } = await of().kubeletAt(NODE);
    const query = 'command=sh&command=-c&command=echo%20out%3B%20exit%203&output=1&error=1';
    const socket = new WebSocket(
      `wss://${host}:${port}/exec/default/web/main?${query}`,
      ['v4.channel.k8s.io'],
      { ...apiServer, rejectUnauthorized: false },
    );
    const said: Record<number, string> = {};
    socket.on('message', (data: Buffer) => {
      said[data[0] ?? 0] = `${said[data[0] ?? 0] ?? ''}${data.subarray(1).toString()}`;
    });
    await within('its end', once(socket, 'close'), 15_000);
    assert.equal(said[1], 'out\n');
    assert.match(said[3] ?? '', /"reason":"NonZeroExitCode".*"message":"3"/);
  }).timeout(30_000);

  it('shows what metrics-server reads', async () => {
    const text = await of().kubectl.ok(['get', '--raw', `/api/v1/nodes/${NODE}/proxy/metrics/resource`]);
    const direct = await askKubelet(await call('GET /metrics/resource', { alpn: ['h2', 'http/1.1'] }));
    assert.equal(direct.status, 200);
    assert.ok(text.endsWith('\n'));
    const series = new Set<string>();
    for (const line of text.trim().split('\n')) {
      if (line.startsWith('#')) {
        assert.match(line, /^# (?:HELP [a-z_]+ \S|TYPE [a-z_]+ (?:counter|gauge)$)/);
        continue;
      }
      const [, name = '', labels = '', value, stamp] = SAMPLE.exec(line) ?? [];
      assert.ok(Number.isFinite(Number(value)), line);
      if (stamp !== undefined) assert.ok(Math.abs(Date.now() - Number(stamp)) < 120_000, line);
      series.add(labels === '' ? name : `${name}{${labels}}`);
    }
    const ours = 'container="main",namespace="default",pod="web"';
    for (const wanted of [
      ...['node_cpu_usage_seconds_total', 'node_memory_working_set_bytes', 'resource_scrape_error'],
      `container_cpu_usage_seconds_total{${ours}}`,
      `container_memory_working_set_bytes{${ours}}`,
      `container_start_time_seconds{${ours}}`,
      'pod_memory_working_set_bytes{namespace="default",pod="web"}',
    ])
      assert.ok(series.has(wanted), wanted);
  }).timeout(30_000);

  it('shows the summary that metrics-server read before', async () => {
    const { kubectl } = of();
    const summary = JSON.parse(
      await kubectl.ok(['get', '--raw', `/api/v1/nodes/${NODE}/proxy/stats/summary`]),
    ) as Summary;
    assert.equal(summary.node.nodeName, NODE);
    assert.ok(summary.node.cpu.usageCoreNanoSeconds > 0 && summary.node.memory.workingSetBytes > 0);
    const web = summary.pods.find(({ podRef }) => podRef.name === 'web');
    assert.equal(web?.podRef.namespace, 'default');
    const [main] = web.containers;
    assert.equal(main?.name, 'main');
    assert.ok(main.cpu.usageCoreNanoSeconds > 0 && main.memory.workingSetBytes > 0);
    assert.ok(Math.abs(Date.now() - Date.parse(main.cpu.time)) < 120_000);
    const top = await kubectl.run(['top', 'node', NODE]);
    assert.match(top.stderr, /Metrics API not available/, 'there is no metrics-server');
  }).timeout(30_000);

  it('lets nobody in without a certificate of the cluster, nor with one of others', async () => {
    const line = 'GET /containerLogs/default/pair/a';
    const refused = async (order: Partial<KubeletCall>): Promise<string> => {
      const { status, text } = await askKubelet({ ...(await call(line)), ...order });
      assert.equal(status, 401, text);
      return text;
    };
    const { host, port } = await call(line);
    const without = { host, port, line, headers: PLAIN };
    assert.match(
      (await askKubelet(without)).text,
      /a client certificate that the cluster's authority has signed/,
    );
    const other = await TestAuthority.create('CN=clients-of-the-cluster'); // the same name, another key
    await refused({ client: await client(other, 'O=system:masters, CN=kube-apiserver-kubelet-client') });
    // The node's own: it is signed by the hub's authority, which is for tunnels.
    const { certificate, privateKey } = await of().site.cluster.authority();
    const edges = await TestAuthority.load(certificate, privateKey);
    await refused({ client: await client(edges, `O=system:nodes, CN=system:node:${NODE}`) });
    const shell = await callKubelet({
      ...without,
      line: 'POST /exec/default/web/main?command=id&output=1',
      headers: [...UPGRADE, ...REMOTE_COMMAND],
    });
    assert.equal(shell.status, 401);
    shell.socket.destroy();
  }).timeout(30_000);

  it('lets users do what they may, and no more', async () => {
    const { kubectl } = of();
    const reader = await client(authority, 'O=people, CN=reader');
    const ask = async (line: string, headers = PLAIN): Promise<{ status: number; text: string }> =>
      askKubelet(await call(line, { client: reader, headers }));
    assert.equal((await ask('GET /containerLogs/default/pair/a')).status, 403);
    assert.equal((await ask('GET /metrics/resource')).status, 403);
    await kubectl.ok(['create', 'clusterrole', 'scraper', '--verb=get', '--resource=nodes/metrics']);
    await kubectl.ok(['create', 'clusterrolebinding', 'scraper', '--clusterrole=scraper', '--user=scraper']);
    // Another one: that a user may not do something is remembered for 30 s, as by a kubelet.
    const scraper = await client(authority, 'O=people, CN=scraper');
    assert.equal((await askKubelet(await call('GET /metrics/resource', { client: scraper }))).status, 200);
    const { status, text } = await ask('GET /containerLogs/default/pair/a');
    assert.equal(status, 403);
    assert.match(text, /reader.*nodes\/proxy|nodes\/proxy.*reader/);
    // Whom the API server has let in is its business: people are told by it.
    const asPerson = await kubectl.run(['logs', 'web', '--as', 'reader']);
    assert.match(asPerson.stderr, /User "reader" cannot get resource "pods/);
    const through = await kubectl.run([
      ...['get', '--raw', `/api/v1/nodes/${NODE}/proxy/healthz`, '--as', 'reader'],
    ]);
    assert.match(through.stderr, /User "reader" cannot get resource "nodes\/proxy"/);
  }).timeout(60_000);

  it("knows no other node's pods at a node's port, nor other paths", async () => {
    const ask = async (line: string, headers = PLAIN): Promise<{ status: number; text: string }> =>
      askKubelet(await call(line, { headers }));
    const other = await ask('GET /containerLogs/default/elsewhere/main');
    assert.equal(other.status, 404);
    assert.match(other.text, /pod default\/elsewhere is not bound to node edge-1/);
    const shell = await ask('POST /exec/default/elsewhere/main?command=id&output=1', [
      ...UPGRADE,
      ...REMOTE_COMMAND,
    ]);
    assert.equal(shell.status, 404);
    assert.equal((await ask('GET /containerLogs/default/none/main')).status, 404);
    for (const path of [
      '/configz',
      '/run/default/web/main',
      '/logs/',
      '/metrics',
      '/debug/pprof/',
      '/../pods',
    ])
      assert.equal((await ask(`GET ${path}`)).status, 404, path);
    assert.equal(
      (await ask('POST /containerLogs/default/pair/a', [...PLAIN, 'Content-Length: 0'])).status,
      405,
    );
    assert.equal((await ask('GET /exec/default/web/main?command=id&output=1')).status, 400);
    const { port } = await of().kubeletAt('edge-2');
    const crossed = await askKubelet({ ...(await call('GET /containerLogs/default/pair/a')), port });
    assert.equal(crossed.status, 404);
    assert.match(crossed.text, /pod default\/pair is not bound to node edge-2/);
  }).timeout(30_000);
}

interface Usage {
  readonly cpu: { readonly time: string; readonly usageCoreNanoSeconds: number };
  readonly memory: { readonly workingSetBytes: number };
}

/** Source: kubernetes staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1. */
interface Summary {
  readonly node: Usage & { readonly nodeName: string };
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers: readonly (Usage & { readonly name: string })[];
  }[];
}

async function client(authority: TestAuthority, subject: string): Promise<ClientPem> {
  const { privateKey, certificate } = await authority.issue({ subject, keyType: 'p256' });
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: certificate.toString(),
  };
}

/** One authority of clients more, beside the cluster's own, as while a cluster changes it. */
async function trust({ site }: KubectlSite, authority: TestAuthority): Promise<void> {
  const configMaps = new ResourceClient(site.cluster.client, RESOURCES.configmaps);
  const found = await configMaps.get('kube-system', 'extension-apiserver-authentication');
  const data = found['data'] as Readonly<Record<string, string>>;
  const both = `${data['client-ca-file'] ?? ''}\n${authority.certificate.toString()}`;
  await configMaps.update({ ...found, data: { ...data, 'client-ca-file': both } });
}
