import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import {
  TunnelClient,
  TunnelError,
  tunnelLimits,
  WsTransport,
  type Credentials,
  type OutgoingFrame,
  type SessionFrame,
  type Tunnel,
} from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { deferred, silentLogger, systemClock, systemRandom } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { DeltaEncoder, packJson, type PoolRoster } from '@hawser/sync';
import { readAddress } from '../../src/pool/lan-address.ts';
import { LanLink } from '../../src/pool/lan-link.ts';
import type { PeerPipe } from '../../src/pool/peer-link.ts';
import { PeerServices } from '../../src/pool/peer-services.ts';
import type { PeerAnswer } from '../../src/pool/peer-messages.ts';
import { PeerSession } from '../../src/pool/peer-session.ts';

const DAY_MS = 24 * 3600 * 1000;
const LIFE = { clusterUid: 'cluster', incarnation: 'first' };

describe('The LAN port of a pool', () => {
  const links: LanLink[] = [];
  let authority: TestAuthority;
  let roster: PoolRoster;
  let services: PeerServices;
  let leader: LanLink;
  let leaderCredentials: Credentials;

  before(async () => {
    authority = await TestAuthority.create();
    leaderCredentials = await authority.edge('leader');
  });

  beforeEach(async () => {
    roster = rosterOf(['leader', 'member', 'other']);
    leader = makeLink('leader', () => leaderCredentials);
    services = new PeerServices({
      node: 'leader',
      roster: () => roster,
      published: () => ({ code: 'ERR_CLOUDCORE_FORBIDDEN', why: 'not to be had here' }),
      answer: () => ANSWER,
      onChange: () => {},
      onBytes: () => {},
      encoder: new DeltaEncoder({ threadAboveBytes: Infinity }),
      confirmAfterMs: 0,
      clock: systemClock,
      log: silentLogger,
    });
    await leader.open(services);
  });

  afterEach(async () => {
    services.close('the test is over');
    await Promise.all(links.splice(0).map((link) => link.close()));
  });

  function makeLink(node: string, credentials: () => Credentials, listen = '127.0.0.1:0'): LanLink {
    const link = new LanLink({
      ...{ node, software: 'edgecore/test', listen, credentials },
      address: () => '127.0.0.1',
      isRevoked: ({ fingerprint }) => roster.revoked.includes(fingerprint),
      wallMs: () => Date.now(),
      life: () => LIFE,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    });
    links.push(link);
    return link;
  }

  async function reach(node: string, credentials: Credentials, to = 'leader'): Promise<PeerSession> {
    const link = makeLink(node, () => credentials);
    let session: PeerSession | undefined;
    const onPipe = (pipe: PeerPipe): PeerSession['onFrame'] => {
      session = new PeerSession({
        pipe,
        onNudge: () => {},
        onBytes: () => {},
        clock: systemClock,
        log: silentLogger,
      });
      return session.onFrame;
    };
    await within('the dial', link.dial(to, leader.endpoint, onPipe, AbortSignal.timeout(4_000)));
    assert.ok(session !== undefined);
    return session;
  }

  async function refused(code: string, node: string, credentials: Credentials, to = 'leader'): Promise<void> {
    await assert.rejects(reach(node, credentials, to), (error: unknown) => {
      assert.ok(error instanceof TunnelError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
    assert.equal(services.size, 0);
  }

  it('lets members in, which learn what the leader knows', async () => {
    const session = await reach('member', await authority.edge('member'));
    assert.equal((await session.tell(messageOf('member'), 2_000)).status.node, 'leader');
    assert.deepEqual([...services.peers], ['member']);
    session.close('enough');
    await eventually('it is gone', () => services.size === 0);
  });

  it('refuses who has no certificate', async () => {
    const { host, port } = readAddress(leader.endpoint) ?? { host: '', port: 0 };
    const socket = connectTls({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    const answered = deferred<string>();
    socket.on('secureConnect', () => {
      socket.write(
        'GET /v1/tunnel HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
          'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
          'sec-websocket-protocol: hawser.tunnel.v1\r\n\r\n',
      );
    });
    socket.on('data', (data: Buffer) => answered.resolve(data.toString('latin1')));
    socket.on('error', (error) => answered.resolve(String(error)));
    const answer = await within('an answer', answered.promise);
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 403 [^]*ERR_TUNNEL_CERT_MISSING/);
    assert.equal(services.size, 0);
  });

  it('refuses who is of another authority, expired, revoked, or of another pool', async () => {
    const stranger = await TestAuthority.create();
    await refused('ERR_TUNNEL_CERT_UNTRUSTED', 'member', {
      ...(await stranger.edge('member')),
      authorities: [authority.certificate],
    });
    const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    await refused('ERR_TUNNEL_CERT_EXPIRED', 'member', await authority.edge('member', past));
    const revoked = await authority.edge('member');
    roster = { ...roster, revoked: [fingerprintOf(revoked)] };
    await refused('ERR_TUNNEL_CERT_REVOKED', 'member', revoked);
    await refused('ERR_TUNNEL_REJECTED', 'elsewhere', await authority.edge('elsewhere'));
    await refused('ERR_TUNNEL_REJECTED', 'leader', await authority.edge('leader'));
  });

  it('refuses a hub’s certificate in place of a node’s, and a node that says that it is another one', async () => {
    await assert.rejects(
      reach('member', await authority.hub()),
      (error: unknown) => error instanceof TunnelError,
    );
    await assert.rejects(
      reach('other', await authority.edge('member')),
      (error: unknown) => error instanceof TunnelError,
    );
    assert.equal(services.size, 0);
  });

  it('is not taken for the port of another node', async () => {
    await refused('ERR_TUNNEL_CERT_NAME', 'member', await authority.edge('member'), 'other');
  });

  it('ends sessions of nodes that are revoked, or leave the pool', async () => {
    const own = await authority.edge('member');
    const session = await reach('member', own);
    roster = { ...roster, revoked: [fingerprintOf(own)] };
    services.check();
    await within('its end', session.closed);
    const other = await reach('other', await authority.edge('other'));
    roster = rosterOf(['leader', 'member']);
    services.check();
    await within('its end', other.closed);
  });

  it('takes no more sessions than members and some', async () => {
    roster = rosterOf(['leader', ...Array.from({ length: 3 }, (_, index) => `m${index}`)]);
    const full = Array.from({ length: 12 }, (_, index) => services.accept(fakePipe(`m${index}`)));
    assert.equal(full.length, 12);
    await assert.rejects(reach('m0', await authority.edge('m0')), (error: unknown) => {
      assert.ok(error instanceof TunnelError);
      return error.message.includes('too many sessions');
    });
  });

  it('shows a rotated certificate at the next handshake', async () => {
    const member = await authority.edge('member');
    const first = await reach('member', member);
    leaderCredentials = await authority.edge('leader');
    const link = makeLink('other', () => otherCredentials);
    const otherCredentials = await authority.edge('other');
    const pipe = await link.dial('leader', leader.endpoint, () => () => {}, AbortSignal.timeout(4_000));
    assert.equal(pipe.fingerprint, fingerprintOf(leaderCredentials));
    first.close('enough');
    pipe.close('enough');
  });

  describe('for a member that is hostile', () => {
    let tunnel: Tunnel;
    let client: TunnelClient;
    let frames: SessionFrame[];

    beforeEach(async () => {
      frames = [];
      const up = deferred<Tunnel>();
      const member = await authority.edge('member');
      client = new TunnelClient({
        routes: [
          {
            transport: new WsTransport({ credentials: () => member, limits: tunnelLimits(), peers: true }),
            hub: { ...(readAddress(leader.endpoint) ?? { host: '', port: 0 }), node: 'leader' },
          },
        ],
        hello: () => ({ node: 'member', software: 'hostile' }),
        onTunnel: (opened) => {
          up.resolve(opened);
          return (frame) => void frames.push(frame);
        },
      });
      client.start();
      tunnel = await within('a session', up.promise);
    });

    afterEach(() => client.stop());

    it('has no object of the node, and no scope but those of pools', async () => {
      const state = new Uint8Array(0);
      for (const [scope, [kind, name]] of [
        ['node', 'leader'],
        ['node', 'member'],
        ['pool', 'shop/secrets'],
        ['pool', 'elsewhere/services'],
        ['secrets', 'default/token'],
      ].entries())
        await tunnel.send({ subscribe: { scope: scope + 1, kind: kind ?? '', name: name ?? '', state } });
      await eventually('all are refused', () => frames.length === 5);
      for (const frame of frames)
        assert.equal(frame.body === 'error' && frame.error.code, 'ERR_CLOUDCORE_FORBIDDEN');
    });

    it('has no stream, whatever its kind', async () => {
      for (const kind of ['api', 'kubelet', 'anything']) {
        const stream = await tunnel.openStream(kind);
        const ended = await within('its end', stream.closed);
        assert.ok(ended instanceof TunnelError && ended.code === 'ERR_TUNNEL_STREAM_RESET', String(ended));
      }
    });

    const faults: readonly (readonly [string, OutgoingFrame])[] = [
      ['asks for a token', { upstream: { sequence: 1, kind: 'token-request', body: packJson({}) } }],
      [
        'speaks for another member',
        { upstream: { sequence: 1, kind: 'pool-peer', body: packJson(messageOf('other')) } },
      ],
      ['sends no message', { upstream: { sequence: 1, kind: 'pool-peer', body: packJson({ status: 7 }) } }],
      [
        'sends what is no JSON',
        { upstream: { sequence: 1, kind: 'pool-peer', body: Uint8Array.of(0, 1, 2) } },
      ],
      [
        'sends too much',
        { upstream: { sequence: 1, kind: 'pool-peer', body: packJson('x'.repeat(600_000)) } },
      ],
      ['sends what a leader sends', { reportRequest: { kinds: ['pool-peer'] } }],
    ];
    for (const [what, send] of faults)
      it(`ends its session where it ${what}`, async () => {
        await tunnel.send(send);
        const { code } = await within('its end', tunnel.closed);
        assert.equal(code, 'protocol-error');
      });
  });
});

const ANSWER: PeerAnswer = { status: messageOf('leader').status, handover: '' };

function messageOf(node: string) {
  const status = {
    ...{ node, pool: 'shop', endpoint: '', epoch: 1, version: '1', rosterVersion: '', complete: true },
    ...{
      state: 'LIVE' as const,
      leader: 'leader',
      leads: node === 'leader',
      provisional: false,
      ready: true,
    },
    ...{ cloud: true, cloudMs: 0, electing: false, stopping: false, life: '' },
  };
  return { status };
}

function rosterOf(names: readonly string[]): PoolRoster {
  const members = names.map((name) => ({ name, endpoint: '127.0.0.1:1', zone: '', eligible: true }));
  return {
    pool: 'shop',
    epoch: 1,
    leader: 'leader',
    members,
    resources: [],
    revoked: [],
    heartbeatSeconds: 5,
  };
}

function fingerprintOf({ certificate }: Credentials): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function fakePipe(peer: string): PeerPipe {
  const closed = deferred<string>();
  return {
    peer,
    fingerprint: '',
    send: () => Promise.resolve(),
    close: closed.resolve,
    closed: closed.promise,
  };
}
