import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import {
  BareConnections,
  FileCredentials,
  HttpApiClient,
  staticCredentials,
  type ApiClient,
} from '../../src/index.ts';
import { kubeConfigClient, kubeConfigConnections, loadKubeConfig } from '../../src/client/kubeconfig.ts';
import { testCertificates, type TestCertificates } from './certificates.ts';

interface Seen {
  readonly authorization: string | undefined;
  readonly subject: string | undefined;
  readonly port: number | undefined;
  readonly impersonate: string | string[] | undefined;
}

const get = { method: 'GET', path: '/api/v1/nodes' } as const;

describe('credentials and TLS', () => {
  let certificates: TestCertificates;
  let server: Server;
  let proxy: HttpServer | undefined;
  let dir: TempDir;
  let seen: Seen[];
  let accepted: string | undefined;
  let clients: ApiClient[];

  before(async () => (certificates = await testCertificates()));

  beforeEach(async () => {
    dir = await makeTempDir();
    seen = [];
    accepted = undefined;
    clients = [];
    const { server: own, ca } = certificates;
    server = createServer(
      { ...own, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as Partial<TLSSocket>; // the declared type is that of plain sockets
        const { authorization, 'impersonate-user': impersonate } = request.headers;
        const subject = socket.authorized === true ? socket.getPeerCertificate?.().subject.CN : undefined;
        seen.push({ authorization, subject: subject?.toString(), port: socket.remotePort, impersonate });
        const refused = accepted !== undefined && authorization !== accepted;
        response.writeHead(refused ? 401 : 200, { 'content-type': 'application/json' }).end('{}');
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    proxy?.closeAllConnections();
    await new Promise((resolve) => (proxy === undefined ? resolve(undefined) : proxy.close(resolve)));
    proxy = undefined;
    await dir.remove();
  });

  const port = (): number => (server.address() as AddressInfo).port;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const file = (name: string): string => path.join(dir.path, name);

  function use<T extends ApiClient>(client: T): T {
    clients.push(client);
    return client;
  }

  /** Writes a kubeconfig, which is YAML and so may be JSON. */
  async function kubeConfig(user: object, cluster: object = {}): Promise<string> {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'main',
      contexts: [
        { name: 'main', context: { cluster: 'c', user: 'u' } },
        { name: 'broken', context: { cluster: 'nosuch', user: 'u' } },
      ],
      clusters: [
        {
          name: 'c',
          cluster: {
            server: `https://127.0.0.1:${port()}`,
            'certificate-authority-data': base64(certificates.ca),
            ...cluster,
          },
        },
      ],
      users: [{ name: 'u', user }],
    };
    await writeFile(file('config'), JSON.stringify(config));
    return file('config');
  }

  describe('the light client', () => {
    const connectTo = (options: Partial<ConstructorParameters<typeof HttpApiClient>[0]>): HttpApiClient =>
      use(new HttpApiClient({ server: `https://127.0.0.1:${port()}`, retries: 0, ...options }));

    it('shows its certificate, checks that of the server', async () => {
      const { cert, key } = await certificates.client('edge-1');
      const credentials = staticCredentials({ tls: { ca: certificates.ca, cert, key } });
      await connectTo({ credentials }).request(get);
      assert.equal(seen[0]?.subject, 'edge-1');
      await assert.rejects(connectTo({}).request(get), {
        code: 'ERR_KUBE_CLIENT_CONNECTION',
        message: /certificate/,
      });
      const other = staticCredentials({ tls: { ca: certificates.ca, servername: 'other.test' } });
      await assert.rejects(connectTo({ credentials: other }).request(get), /altnames/);
      const right = staticCredentials({ tls: { ca: certificates.ca, servername: 'api.test' } });
      await connectTo({ credentials: right }).request(get);
      const any = staticCredentials({ tls: { rejectUnauthorized: false } });
      await connectTo({ credentials: any }).request(get);
      assert.equal(seen.length, 3);
    });

    it('takes a rotated certificate into use, and leaves a running stream alone', async () => {
      const write = async (name: string): Promise<void> => {
        const { cert, key } = await certificates.client(name);
        await Promise.all([writeFile(file('cert'), cert), writeFile(file('key'), key)]);
      };
      await writeFile(file('ca'), certificates.ca);
      await write('first');
      const credentials = new FileCredentials({
        caFile: file('ca'),
        certFile: file('cert'),
        keyFile: file('key'),
        refreshMs: 0,
      });
      const client = connectTo({ credentials });
      await client.request(get);
      await client.request(get);
      const ports = new Set(seen.map((one) => one.port));
      assert.equal(ports.size, 1, 'files read again without a change keep the connection');
      const stream = await client.stream(get);
      await write('second');
      await client.request(get);
      await client.request(get);
      assert.deepEqual(
        seen.map(({ subject }) => subject),
        ['first', 'first', 'first', 'second', 'second'],
      );
      let body = '';
      for await (const chunk of stream) body += chunk.toString();
      assert.equal(body, '{}');
    });
  });

  describe('kubeconfig', () => {
    const open = async (user: object, cluster: object = {}): Promise<HttpApiClient> =>
      use(kubeConfigClient(loadKubeConfig({ path: await kubeConfig(user, cluster) }), { retries: 0 }));

    it('takes a token, a password, a certificate, an impersonation', async () => {
      await (await open({ token: 'secret' })).request(get);
      await (await open({ username: 'u', password: 'p' })).request(get);
      const { cert, key } = await certificates.client('admin');
      const certified = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
      await (await open({ ...certified, as: 'someone' })).request(get);
      assert.deepEqual(
        seen.map(({ authorization, subject, impersonate }) => [authorization, subject, impersonate]),
        [
          ['Bearer secret', undefined, undefined],
          [`Basic ${base64('u:p')}`, undefined, undefined],
          [undefined, 'admin', 'someone'],
        ],
      );
    });

    it('keeps its connection', async () => {
      const client = await open({ token: 'secret' });
      for (let i = 0; i < 5; i++) await client.request(get);
      assert.equal(new Set(seen.map((one) => one.port)).size, 1);
    });

    it('asks an exec plug-in, once as long as its token is good, again after a 401', async () => {
      const plugin = file('plugin');
      const token = file('token');
      await writeFile(
        plugin,
        `#!/bin/sh
echo run >> ${file('runs')}
cat <<END
{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
 "status":{"token":"$(cat ${token})","expirationTimestamp":"2099-01-01T00:00:00Z"}}
END
`,
      );
      await chmod(plugin, 0o755);
      await writeFile(token, 'one');
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: plugin,
        interactiveMode: 'Never',
      };
      const client = await open({ exec });
      const runs = async (): Promise<number> =>
        (await readFile(file('runs'), 'utf8')).split('run').length - 1;
      for (let i = 0; i < 3; i++) await client.request(get);
      assert.equal(await runs(), 1);
      await writeFile(token, 'two');
      accepted = 'Bearer two';
      await client.request(get);
      assert.equal(await runs(), 2);
      assert.deepEqual(
        seen.map(({ authorization }) => authorization),
        ['Bearer one', 'Bearer one', 'Bearer one', 'Bearer one', 'Bearer two'],
      );
      accepted = 'Bearer three';
      await assert.rejects(client.request(get), { code: 'ERR_KUBE_UNAUTHORIZED' });
    });

    it('says what an exec plug-in said when it failed', async () => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: '/bin/sh',
        args: ['-c', 'echo no luck >&2; exit 1'],
      };
      await assert.rejects((await open({ exec })).request(get), /no luck/);
    });

    it('goes through a proxy', async () => {
      const connects: string[] = [];
      proxy = createHttpServer();
      proxy.on('connect', (request, socket) => {
        connects.push(request.url ?? '');
        const far = connect(port(), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          far.pipe(socket);
          socket.pipe(far);
        });
        far.on('error', () => socket.destroy());
        socket.on('error', () => far.destroy());
        socket.on('close', () => far.destroy());
      });
      await new Promise<void>((resolve) => proxy?.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const client = await open({ token: 'secret' }, { 'proxy-url': url });
      await client.request(get);
      await client.request(get);
      assert.deepEqual(
        seen.map(({ authorization }) => authorization),
        ['Bearer secret', 'Bearer secret'],
      );
      assert.deepEqual(connects, [`127.0.0.1:${port()}`], 'one connection');
    });

    describe('connections that say nothing of who uses them', () => {
      /** A request with a token of its own. */
      async function ask(connections: BareConnections, token: string): Promise<number> {
        const { signal } = new AbortController();
        const outgoing = await connections.request({ ...get, signal });
        outgoing.setHeader('Authorization', `Bearer ${token}`).end();
        const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
        await once(response.resume(), 'end');
        return response.statusCode ?? 0;
      }

      it('show no certificate, no token and no other user, whatever the kubeconfig has', async () => {
        const { cert, key } = await certificates.client('hub');
        const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/false' };
        const users = [
          { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
          { token: 'of the hub', as: 'system:admin' },
          { username: 'hub', password: 'secret' },
          { exec },
        ];
        for (const user of users) {
          const config = loadKubeConfig({ path: await kubeConfig(user) });
          const connections = kubeConfigConnections(config, { maxConnections: 4 });
          try {
            seen.length = 0;
            assert.equal(await ask(connections, 'first'), 200);
            assert.equal(await ask(connections, 'second'), 200);
            const shown = seen.map(({ authorization, subject, impersonate }) => [
              ...[authorization, subject, impersonate],
            ]);
            assert.deepEqual(shown, [
              ['Bearer first', undefined, undefined],
              ['Bearer second', undefined, undefined],
            ]);
            assert.equal(new Set(seen.map((one) => one.port)).size, 1, 'one connection, kept');
          } finally {
            connections.close();
          }
        }
        const tls = { ca: certificates.ca, cert, key };
        const given = { server: `https://127.0.0.1:${port()}`, credentials: staticCredentials({ tls }) };
        const connections = new BareConnections({ ...given, maxConnections: 1 });
        seen.length = 0;
        await ask(connections, 'third');
        assert.deepEqual(
          seen.map(({ subject }) => subject),
          [undefined],
        );
        connections.close();
      });

      it('check the certificate of the server', async () => {
        const other = { 'certificate-authority-data': base64((await testCertificates()).ca) };
        const config = loadKubeConfig({ path: await kubeConfig({}, other) });
        const connections = kubeConfigConnections(config, { maxConnections: 1 });
        await assert.rejects(ask(connections, 'token'), /certificate/);
        assert.deepEqual(seen, []);
        connections.close();
      });
    });

    it('takes another context, and says what is wrong', async () => {
      const config = await kubeConfig({ token: 'secret' });
      const invalid = { code: 'ERR_KUBE_CLIENT_CONFIG' };
      assert.throws(() => loadKubeConfig({ path: config, context: 'broken' }), invalid);
      assert.throws(() => loadKubeConfig({ path: config, context: 'nosuch' }), invalid);
      assert.throws(() => loadKubeConfig({ path: file('nosuch') }), invalid);
      await writeFile(file('garbage'), '{');
      assert.throws(() => loadKubeConfig({ path: file('garbage') }), invalid);
      use(kubeConfigClient(loadKubeConfig({ path: config, context: 'main' })));
    });
  });
});

describe('what is loaded', () => {
  /** Imports a module in a new process, returns which packages that loads. */
  async function packagesLoadedBy(specifier: string): Promise<Set<string>> {
    const hook = `export async function load(url, context, next) {
      const match = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url);
      if (match) process._rawDebug('LOADED ' + match[1]);
      return next(url, context);
    }`;
    const script = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
      await import(${JSON.stringify(specifier)});`;
    // The packages of the workspace are found from this package's folder.
    const cwd = path.resolve(import.meta.dirname, '../../..');
    const args = ['--input-type=module', '--eval', script];
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd });
    return new Set([...stderr.matchAll(/^LOADED (.*)$/gm)].map((match) => match[1] ?? ''));
  }

  it('by @hawser/kube is not client-node; by @hawser/kube/kubeconfig it is', async function () {
    this.timeout(30_000);
    const light = await packagesLoadedBy('@hawser/kube');
    assert.ok(light.has('prom-client'), `the hook sees packages: ${[...light].join()}`);
    assert.equal(light.has('@kubernetes/client-node'), false);
    assert.ok((await packagesLoadedBy('@hawser/kube/kubeconfig')).has('@kubernetes/client-node'));
  });
});
