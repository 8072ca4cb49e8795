import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import { authoritiesPem, ensureAuthority, revokeNode } from '@hawser/cloudcore';
import { HubRefusal, joinCluster, NodeIdentity } from '@hawser/edgecore';
import {
  HandshakeGate,
  QuicTransport,
  readIdentity,
  tunnelLimits,
  type Credentials,
  type PeerIdentity,
} from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { deferred, seededRandom } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { DAY_MS, IdentitySite, ShiftedClock } from './identity-site.ts';
import { Impostor } from './impostor.ts';

describe('a machine joins a cluster', () => {
  let site: IdentitySite;

  beforeEach(async () => {
    site = await new IdentitySite().start();
  });

  afterEach(async () => {
    await site.stop();
  });

  const refusedWith =
    (hubCode: string) =>
    (error: unknown): boolean =>
      error instanceof HubRefusal && error.hubCode === hubCode && error.remedy !== '';

  const serialOf = ({ certificate }: Credentials): string => certificate.serialNumber;

  it('and is let into the tunnel with what it got', async () => {
    const token = await site.token({ pool: 'site-1' });
    const result = await site.join('edge-1', { token, pool: 'site-1' });
    assert.equal(result.already, false);
    assert.deepEqual([result.node, result.pool], ['edge-1', 'site-1']);
    await eventually('the hub knows its pool', () => site.identity.poolOf('edge-1') === 'site-1');
    assert.equal(site.identity.poolOf('edge-2'), undefined);
    assert.ok(Math.abs((result.hubTimeMs ?? 0) - Date.now()) < 10_000);
    await site.dial(result.identity);
    assert.equal(site.admitted[0]?.nodeName, 'edge-1');
    assert.equal(site.admitted[0].serialNumber, serialOf(result.identity.credentials()));
    const restarted = await site.load('edge-1');
    assert.deepEqual(restarted.cluster, { node: 'edge-1', clusterUid: result.clusterUid, pool: 'site-1' });
    await site.dial(restarted);
  });

  it('and is let into the tunnel over QUIC, too', async () => {
    const { identity } = await site.join('edge-1');
    const [hub, edge] = [site.identity, identity].map(
      (side) => new QuicTransport({ limits: tunnelLimits(), credentials: () => side.credentials() }),
    );
    assert.ok(hub && edge);
    const accepted = deferred<PeerIdentity>();
    const listener = await hub.listen({
      host: '127.0.0.1',
      port: 0,
      gate: new HandshakeGate(tunnelLimits()),
      onConnection: (connection) => {
        accepted.resolve(connection.peer);
        return Promise.resolve();
      },
    });
    const connection = await edge.dial({ host: '127.0.0.1', port: listener.port });
    assert.equal((await accepted.promise).nodeName, 'edge-1');
    await connection.close({ code: 'normal', message: 'that was all' });
    await listener.close();
    await edge.close();
    await hub.close();
  });

  it('over one connection, whose peer is verified before it is told the token', async () => {
    const asked: { url: string | undefined; socket: Socket }[] = [];
    site.intercept = ({ url, socket }) => {
      asked.push({ url, socket });
      return false;
    };
    await site.join('edge-1');
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['/v1/authority', '/v1/join'],
    );
    assert.equal(asked[0]?.socket, asked[1]?.socket);
  });

  it('with a key for TPMs, too', async () => {
    const { identity } = await site.join('edge-1', { keyType: 'p256' });
    assert.equal(identity.credentials().privateKey.asymmetricKeyType, 'ec');
    await site.dial(identity);
  });

  it('keeps neither the token nor the key of the join', async () => {
    const token = await site.token();
    await site.join('edge-1', { token });
    const files = await readdir(site.folder('edge-1'));
    assert.deepEqual(files.sort(), ['cluster.json', 'node.pem']);
    for (const file of files) {
      const text = await readFile(path.join(site.folder('edge-1'), file), 'utf8');
      assert.ok(!text.includes(token.slice(65)));
    }
  });

  it('once: a second time nothing happens, as long as it is the same node and cluster', async () => {
    const first = await site.join('edge-1');
    const second = await site.join('edge-1', { token: await site.token() });
    assert.equal(second.already, true);
    assert.equal(serialOf(second.identity.credentials()), serialOf(first.identity.credentials()));
    assert.ok((await site.identity.tokens.list()).some(({ uses }) => uses.length === 0));
    const folder = site.folder('edge-1');
    await assert.rejects(site.join('edge-2', { folder }), { code: 'ERR_EDGECORE_ALREADY_JOINED' });
    const elsewhere = `${'0'.repeat(64)}.${'A'.repeat(32)}`;
    await assert.rejects(site.join('edge-1', { token: elsewhere }), { code: 'ERR_EDGECORE_ALREADY_JOINED' });
  });

  it('again with another key when it is told to', async () => {
    const first = await site.join('edge-1');
    await assert.rejects(site.join('edge-1', { rejoin: true }), refusedWith('ERR_CLOUDCORE_NODE_EXISTS'));
    assert.equal(serialOf((await site.load('edge-1')).credentials()), serialOf(first.identity.credentials()));
    const second = await site.join('edge-1', { rejoin: true }, { replace: true });
    const [former, present] = [first.identity.credentials(), second.identity.credentials()];
    assert.equal(former.privateKey.equals(present.privateKey), false);
    await site.dial(second.identity);
    await eventually('the former is out', () =>
      site.identity.isRevoked(readIdentity(former.certificate, 'edge')),
    );
    await assert.rejects(site.dial(first.identity), { code: 'ERR_TUNNEL_CERT_REVOKED' });
  });

  describe('and tells an impostor nothing:', () => {
    let impostor: Impostor | undefined;

    afterEach(async () => {
      await impostor?.stop();
      impostor = undefined;
    });

    async function heardBy(credentials: Credentials, authority: string, expected: object): Promise<Impostor> {
      const token = await site.token();
      const listening = await new Impostor(credentials, authority).start();
      impostor = listening;
      await assert.rejects(site.join('edge-1', { hub: listening.address, token }), expected);
      const [pin = '', secret = ''] = token.split('.');
      for (const text of [secret, pin, 'CERTIFICATE', 'edge-1', 'csr']) {
        assert.ok(!listening.heard.includes(text), `it was told ${text}`);
      }
      assert.ok(listening.heard.startsWith('GET /v1/authority'));
      assert.equal(listening.requests.length, 1);
      assert.equal(
        (await site.identity.tokens.list()).every(({ uses }) => uses.length === 0),
        true,
      );
      await assert.rejects(site.load('edge-1'), { code: 'ERR_EDGECORE_IDENTITY_MISSING' });
      return listening;
    }

    it('one with an authority of its own', async () => {
      const theirs = await TestAuthority.create();
      await heardBy(await theirs.hub(), theirs.certificate.toString(), { code: 'ERR_EDGECORE_AUTHORITY' });
    });

    it('one that shows the genuine authority, which is public, and a certificate of another', async () => {
      const genuine = await ensureAuthority(site.client);
      const name = genuine.certificate.subject.replaceAll('\n', ', ');
      const theirs = await TestAuthority.create(name);
      await heardBy(await theirs.hub(), authoritiesPem(genuine), { code: 'ERR_TUNNEL_CERT_UNTRUSTED' });
    });

    it('one that shows the genuine authority and the certificate of a node', async () => {
      const { identity } = await site.join('edge-9', { folder: site.folder('edge-9') });
      const genuine = await ensureAuthority(site.client);
      const expected = { code: 'ERR_TUNNEL_CERT_NAME' };
      const token = await site.token();
      impostor = await new Impostor(identity.credentials(), authoritiesPem(genuine)).start();
      await assert.rejects(site.join('edge-1', { hub: impostor.address, token }), expected);
      assert.ok(!impostor.heard.includes(token.slice(65)));
      assert.equal(impostor.requests.length, 1);
    });

    it('one that answers nonsense', async () => {
      const theirs = await TestAuthority.create();
      const nonsense = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
      await heardBy(await theirs.hub(), nonsense, { code: 'ERR_EDGECORE_AUTHORITY' });
    });
  });

  it('also when the answer is lost, as often as that happens, with the same token', async () => {
    let lost = 0;
    site.intercept = (request, response) => {
      if (request.url !== '/v1/join' || lost === 2) return false;
      lost += 1;
      // The hub does all of its work, and its answer goes nowhere.
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      return false;
    };
    const token = await site.token();
    const clock = new FakeClock({ wallMs: Date.now() });
    let isOver = false;
    const joining = site.join('edge-1', { token, clock, random: seededRandom(1) });
    const over = (): void => {
      isOver = true;
    };
    joining.then(over, over); // how it ended is looked at below
    while (!isOver) {
      await eventually('it waits before another attempt, or is in', () => isOver || clock.pendingTimers > 0);
      await clock.advance(20_000);
    }
    const { identity } = await joining;
    assert.equal(lost, 2);
    await site.dial(identity);
    const [kept] = await site.identity.tokens.list();
    assert.equal(kept?.uses.length, 1);
  });

  it('also in a second run of the command, after the answer was lost and the power went', async () => {
    site.intercept = (request, response) => {
      if (request.url !== '/v1/join') return false;
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      return false;
    };
    const token = await site.token();
    const aborting = new AbortController();
    const first = site.join('edge-1', { token, signal: aborting.signal });
    await eventually(
      'the token is used',
      async () => (await site.identity.tokens.list())[0]?.uses.length === 1,
    );
    aborting.abort(new Error('the power is gone'));
    await assert.rejects(first, /the power is gone/);
    assert.deepEqual(await readdir(site.folder('edge-1')), ['join.key']);
    site.intercept = () => false;
    const { identity } = await site.join('edge-1', { token });
    await site.dial(identity);
    // Another machine has not the key, and so does not get in with the token that it found.
    await assert.rejects(
      site.join('edge-1', { token, folder: site.folder('thief') }),
      refusedWith('ERR_CLOUDCORE_TOKEN_USED'),
    );
  });

  it('once more with what it had, when the power goes while it writes down the answer', async () => {
    const token = await site.token();
    await site.join('edge-1', { token });
    const folder = site.folder('edge-1');
    // As if node.pem had not been written yet: the key of the join is still there.
    const bundle = await readFile(path.join(folder, 'node.pem'), 'utf8');
    await writeFile(path.join(folder, 'join.key'), bundle.slice(0, bundle.indexOf('-----BEGIN CERT')), {
      mode: 0o600,
    });
    await rm(path.join(folder, 'node.pem'));
    const { identity, already } = await site.join('edge-1', { token });
    assert.equal(already, false);
    await site.dial(identity);
  });

  it('not with a token that is used, expired, taken back, or for another node', async () => {
    const used = await site.token();
    await site.join('edge-1', { token: used });
    await assert.rejects(site.join('edge-2', { token: used }), refusedWith('ERR_CLOUDCORE_TOKEN_USED'));
    const bound = await site.token({ node: 'edge-3' });
    await assert.rejects(site.join('edge-2', { token: bound }), refusedWith('ERR_CLOUDCORE_TOKEN_BOUND'));
    const taken = await site.token();
    await site.identity.tokens.revoke(taken);
    await assert.rejects(site.join('edge-2', { token: taken }), refusedWith('ERR_CLOUDCORE_TOKEN'));
    const expired = await site.token({ ttlMs: 60_000 });
    site.clock.shiftMs = 61_000;
    await assert.rejects(site.join('edge-2', { token: expired }), refusedWith('ERR_CLOUDCORE_TOKEN_EXPIRED'));
  });

  it('not with what is no token, and the text is not in the message', async () => {
    for (const token of [
      '',
      'my password',
      '0'.repeat(64),
      `${'0'.repeat(64)}.`,
      `${'0'.repeat(64)}.short`,
    ]) {
      await assert.rejects(site.join('edge-1', { token }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_EDGECORE_TOKEN');
        assert.ok(token === '' || !error.message.includes(token));
        return true;
      });
    }
  });

  it('not under a name that is taken', async () => {
    await site.join('edge-1');
    const folder = site.folder('other machine');
    await assert.rejects(site.join('edge-1', { folder }), refusedWith('ERR_CLOUDCORE_NODE_EXISTS'));
    const { identity } = await site.join('edge-1', { folder }, { replace: true });
    await site.dial(identity);
  });

  it('not once it was revoked, and again with a new token', async () => {
    const token = await site.token({ uses: 5 });
    const { identity } = await site.join('edge-1', { token });
    await site.dial(identity);
    await revokeNode(site.client, 'edge-1');
    const peer = readIdentity(identity.credentials().certificate, 'edge');
    await eventually('it is out', () => site.identity.isRevoked(peer));
    await assert.rejects(site.dial(identity), { code: 'ERR_TUNNEL_CERT_REVOKED' });
    await assert.rejects(
      site.join('edge-1', { token, rejoin: true }),
      refusedWith('ERR_CLOUDCORE_NODE_REVOKED'),
    );
    const back = await site.join('edge-1', { rejoin: true });
    await eventually('the hub knows', () => {
      return !site.identity.isRevoked(readIdentity(back.identity.credentials().certificate, 'edge'));
    });
    await site.dial(back.identity);
    await assert.rejects(site.dial(identity), { code: 'ERR_TUNNEL_CERT_REVOKED' });
  });

  it('on a machine without a clock', async () => {
    const clock = new ShiftedClock();
    clock.shiftMs = -Date.now(); // 1970
    const { identity, hubTimeMs } = await site.join('edge-1', { clock });
    assert.ok((hubTimeMs ?? 0) > Date.now() - DAY_MS);
    await site.dial(identity);
  });

  it('not when nobody answers, or somebody who is no hub', async () => {
    const options = { signal: AbortSignal.timeout(300) };
    await assert.rejects(
      site.join('edge-1', { hub: { host: '127.0.0.1', port: 1 }, ...options }),
      (error: Error) => {
        return (
          error.name === 'TimeoutError' ||
          (error as { code?: string }).code === 'ERR_EDGECORE_HUB_UNREACHABLE'
        );
      },
    );
    site.intercept = (_request, response) => {
      response.writeHead(200).end('hello');
      return true;
    };
    await assert.rejects(site.join('edge-1'), { code: 'ERR_EDGECORE_AUTHORITY' });
  });

  it('not with a certificate that does not fit', async () => {
    const answers = [
      '{}',
      'nonsense',
      JSON.stringify({ certificate: 'x', authorities: 'y', clusterUid: 'z', node: 'edge-1' }),
      'x'.repeat(300_000),
    ];
    for (const answer of answers) {
      site.intercept = (request, response) => {
        if (request.url !== '/v1/join') return false;
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
        return true;
      };
      await assert.rejects(site.join('edge-1'), { code: 'ERR_EDGECORE_HUB_ANSWER' });
      await assert.rejects(site.load('edge-1'), { code: 'ERR_EDGECORE_IDENTITY_MISSING' });
    }
  });

  it('with others that do so at the same time: each with a use of one token', async () => {
    const token = await site.token({ uses: 6 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => site.join(`edge-${i}`, { token })),
    );
    const joined = outcomes.filter(({ status }) => status === 'fulfilled');
    assert.equal(joined.length, 6);
    assert.equal((await site.identity.tokens.list())[0]?.uses.length, 6);
  });

  it('by name, where the certificate of the hub has it', async () => {
    const hub = { host: 'localhost', port: site.hub.port };
    const { identity } = await joinCluster({
      hub,
      node: 'edge-1',
      token: await site.token(),
      folder: site.folder('edge-1'),
    });
    assert.ok(identity instanceof NodeIdentity);
  });
});
