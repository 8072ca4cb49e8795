import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, within } from '@hawser/seams/testing';
import { DiskPkiFolder } from '../../src/identity/pki-folder.ts';
import { LazyLocalApi, type ConnectionTaker } from '../../src/local-api/lazy-local-api.ts';
import { LinkLocalAddress } from '../../src/local-api/link-local-address.ts';
import { makePod } from '../../testing/pod-maker.ts';

const CONFIG = { port: 0, address: '127.0.0.2', pods: 'local' } as const;

describe('the ports of the local API', () => {
  let remove: () => Promise<void>;
  let folder: DiskPkiFolder;
  let clock: FakeClock;
  let calls: string[];
  let failure: Error | undefined;
  let present: boolean;
  let taken: Socket[];
  let lazy: LazyLocalApi;

  const taker: ConnectionTaker = {
    accept(socket) {
      taken.push(socket);
      socket.once('data', (data) => socket.end(`you said ${data.toString('utf8')}`));
      socket.resume();
    },
  };
  let load: () => Promise<ConnectionTaker>;

  beforeEach(async () => {
    const dir = await makeTempDir();
    remove = () => dir.remove();
    folder = new DiskPkiFolder(dir.path);
    await folder.open();
    clock = new FakeClock();
    calls = [];
    taken = [];
    failure = undefined;
    present = false;
    load = () => {
      calls.push('load');
      return Promise.resolve(taker);
    };
    lazy = make();
  });

  afterEach(async () => {
    await lazy.stop();
    for (const socket of taken) socket.destroy();
    await remove();
  });

  function make(
    config: Partial<Record<'port', number>> & { address?: string; pods?: 'local' | 'cluster' } = {},
  ) {
    return new LazyLocalApi({
      node: 'edge-1',
      config: { ...CONFIG, ...config },
      clusterDomain: 'cluster.local',
      folder,
      load: () => load(),
      linkLocal: {
        ensure() {
          calls.push('ensure');
          if (failure !== undefined) return Promise.reject(failure);
          present = true;
          return Promise.resolve();
        },
        remove: () => Promise.resolve(void calls.push('remove')),
        get isPresent() {
          return present;
        },
      },
      clock,
      log: silentLogger,
    });
  }

  async function say(host: string, text: string): Promise<string> {
    const socket = connect(lazy.port, host);
    socket.write(text);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {}); // it is seen to be closed
    await within('the end of a connection', once(socket, 'close'));
    return Buffer.concat(chunks).toString('utf8');
  }

  it('are open before anything is loaded, and give all that was said to what is', async () => {
    await lazy.start();
    assert.equal(lazy.status().state, 'listening');
    assert.deepEqual(lazy.status().addresses, ['127.0.0.1', '127.0.0.2']);
    assert.match(lazy.status().certificate, /BEGIN CERTIFICATE/);
    assert.deepEqual(lazy.problems(), []);
    assert.deepEqual(calls, ['ensure']);
    const answers = await Promise.all([say('127.0.0.1', 'one'), say('127.0.0.2', 'two')]);
    assert.deepEqual(answers, ['you said one', 'you said two']);
    assert.deepEqual(calls, ['ensure', 'load']);
    assert.equal(lazy.status().state, 'loaded');
    assert.equal(await say('127.0.0.1', 'three'), 'you said three');
    assert.deepEqual(calls, ['ensure', 'load']);
    await lazy.stop();
    await lazy.stop();
    assert.deepEqual(calls, ['ensure', 'load', 'remove']);
    assert.equal(lazy.status().state, 'loaded');
    assert.deepEqual(lazy.status().addresses, []);
  });

  it('end connections when nothing can be loaded, say why, and try again with the next', async () => {
    await lazy.start();
    const works = load;
    load = () => Promise.reject(new Error('no memory'));
    assert.equal(await say('127.0.0.1', 'x'), '');
    assert.deepEqual(lazy.problems(), [{ code: 'ERR_EDGECORE_LOCAL_API', message: 'no memory' }]);
    load = works;
    assert.equal(await say('127.0.0.1', 'y'), 'you said y');
    assert.deepEqual(lazy.problems(), []);
  });

  it('let those wait that come while it loads, but not more than 256, and nobody when it stops', async () => {
    await lazy.start();
    let go = (): void => {};
    const wait = new Promise<void>((resolve) => (go = resolve));
    load = async () => {
      await wait;
      return taker;
    };
    const sockets = Array.from({ length: 300 }, () => connect(lazy.port, '127.0.0.1'));
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => {}); // a connection that is refused may say so
      socket.once('close', () => (closed += 1));
    }
    await eventually('those beyond the limit are ended', () => closed === 300 - 256);
    assert.equal(taken.length, 0);
    const stopping = lazy.stop();
    await eventually('all are ended', () => closed === 300);
    go();
    await stopping;
    assert.equal(taken.length, 0);
  });

  it('are on loopback only without the right to make an address, which is said and tried again', async () => {
    failure = new Error('ip link add: Operation not permitted');
    await lazy.start();
    assert.deepEqual(lazy.status().addresses, ['127.0.0.1']);
    const [problem] = lazy.problems();
    assert.equal(problem?.code, 'ERR_EDGECORE_LOCAL_API_ADDRESS');
    assert.match(problem.message, /^127\.0\.0\.2 cannot be made, .* Operation not permitted$/);
    assert.equal(lazy.server(makePod('web')), undefined);
    assert.equal(lazy.server(makePod('web', { spec: { hostNetwork: true } }))?.host, '127.0.0.1');
    failure = undefined;
    await clock.advance(30_000);
    await eventually('both listen', () => lazy.status().addresses.length === 2);
    assert.deepEqual(lazy.problems(), []);
    assert.deepEqual(lazy.server(makePod('web')), { host: '127.0.0.2', port: lazy.port });
  });

  it('wait for a port that somebody else has', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    lazy = make({ port });
    await lazy.start();
    const [problem] = lazy.problems();
    assert.equal(problem?.code, 'ERR_EDGECORE_LOCAL_API_LISTEN');
    assert.match(problem.message, /EADDRINUSE/);
    assert.equal(lazy.server(makePod('web', { spec: { hostNetwork: true } })), undefined);
    other.close();
    await once(other, 'close');
    await clock.advance(10_000);
    await eventually('it listens', () => lazy.problems().length === 0);
    assert.equal(await say('127.0.0.1', 'x'), 'you said x');
  });

  it('are told to pods as the configuration and their annotation say', async () => {
    const annotated = (value: string): ReturnType<typeof makePod> =>
      makePod('web', { metadata: { annotations: { 'hawser.dev/api-server': value } } });
    await lazy.start();
    assert.equal(lazy.server(makePod('web'))?.host, '127.0.0.2');
    assert.equal(lazy.server(annotated('cluster')), undefined);
    assert.equal(lazy.authority(annotated('cluster')), undefined);
    assert.equal(lazy.server(annotated('nonsense'))?.host, '127.0.0.2');
    assert.equal(lazy.authority(makePod('web')), lazy.certificate?.cert);
    present = false;
    assert.equal(lazy.server(makePod('web')), undefined, 'somebody has taken the interface away');
    await lazy.stop();
    lazy = make({ pods: 'cluster' });
    await lazy.start();
    assert.equal(lazy.server(makePod('web')), undefined);
    assert.equal(lazy.server(annotated('local'))?.host, '127.0.0.2');
    await lazy.stop();
    lazy = make({ address: '' });
    await lazy.start();
    assert.equal(lazy.server(makePod('web')), undefined);
    assert.deepEqual(lazy.problems(), []);
  });

  it('are not there without a certificate, and the edge goes on', async () => {
    folder.read = () => Promise.reject(new Error('disk'));
    lazy = make();
    await lazy.start();
    assert.equal(lazy.status().state, 'closed');
    assert.deepEqual(lazy.problems(), [{ code: 'ERR_EDGECORE_LOCAL_API', message: 'disk' }]);
  });
});

describe('the link-local address', () => {
  let present: boolean;
  let alias: string | undefined;
  let ran: string[];

  const address = (refused?: string, words = 'not permitted'): LinkLocalAddress =>
    new LinkLocalAddress({
      address: '169.254.2.1',
      isPresent: () => present,
      aliasOf: () => Promise.resolve(alias),
      ip(args) {
        const line = args.join(' ');
        if (refused !== undefined && line.startsWith(refused)) return Promise.reject(new Error(words));
        ran.push(line);
        return Promise.resolve();
      },
    });

  beforeEach(() => {
    present = false;
    alias = undefined;
    ran = [];
  });

  it('is on an interface of its own, which goes again', async () => {
    await address().ensure();
    assert.deepEqual(ran, [
      'link add hawser0 type dummy',
      'link set hawser0 alias hawser local API',
      'address replace 169.254.2.1/32 dev hawser0',
      'link set hawser0 up',
    ]);
    alias = 'hawser local API';
    await address().remove();
    assert.equal(ran.at(-1), 'link delete hawser0');
  });

  it('is on loopback where the kernel has no dummy interfaces', async () => {
    const made = address('link add', 'Error: Unknown device type.');
    await made.ensure();
    await made.remove();
    await made.remove();
    assert.deepEqual(ran, ['address replace 169.254.2.1/32 dev lo', 'address delete 169.254.2.1/32 dev lo']);
  });

  it('is put on the interface again, and left to whoever else has made it', async () => {
    alias = 'hawser local API';
    await address().ensure();
    assert.deepEqual(ran, ['address replace 169.254.2.1/32 dev hawser0', 'link set hawser0 up']);
    present = true;
    alias = '';
    ran = [];
    await address().ensure();
    await address().remove();
    assert.deepEqual(ran, []);
    await assert.rejects(
      (async () => {
        present = false;
        alias = undefined;
        await address('link add').ensure();
      })(),
      /not permitted/,
    );
  });
});
