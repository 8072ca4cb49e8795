import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled, within } from '@hawser/seams/testing';
import {
  TunnelError,
  tunnelLimits,
  WsTransport,
  type Credentials,
  type TunnelErrorCode,
} from '../../src/index.ts';
import { secureContextOptions } from '../../src/transport/tls-options.ts';
import { TestAuthority } from '../../testing/index.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { hostileBytes } from '../fuzz/mutate.ts';

/** What a hub answers to an upgrade, and the code that the dialer must give. */
const ANSWERS: readonly (readonly [
  name: string,
  answer: string | ((tls: TLSSocket, tcp: Socket) => void),
  code: TunnelErrorCode,
])[] = [
  [
    'a reason that is not percent-encoded',
    refusal('hawser-error: ERR_TUNNEL_CERT_REVOKED\r\nhawser-message: 100%\r\n'),
    'ERR_TUNNEL_CERT_REVOKED',
  ],
  ['a reason that is half a character', refusal('hawser-message: %F0%9F\r\n'), 'ERR_TUNNEL_REJECTED'],
  ['a code that there is not', refusal('hawser-error: ERR_TUNNEL_OF_LATER\r\n'), 'ERR_TUNNEL_REJECTED'],
  ['a code that is a property of all objects', refusal('hawser-error: toString\r\n'), 'ERR_TUNNEL_REJECTED'],
  [
    'two codes',
    refusal('hawser-error: ERR_TUNNEL_CERT_NAME\r\nhawser-error: ERR_TUNNEL_CERT_KEY\r\n'),
    'ERR_TUNNEL_REJECTED',
  ],
  ['another site', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi', 'ERR_TUNNEL_REJECTED'],
  [
    'a redirect',
    'HTTP/1.1 301 Moved\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n',
    'ERR_TUNNEL_REJECTED',
  ],
  [
    'an upgrade without proof',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    'ERR_TUNNEL_DIAL',
  ],
  [
    'an upgrade to something else',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
    'ERR_TUNNEL_DIAL',
  ],
  ['endless headers', `HTTP/1.1 403 Forbidden\r\nx: ${'y'.repeat(100_000)}`, 'ERR_TUNNEL_DIAL'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'ERR_TUNNEL_DIAL'],
  ['nothing, and closes', (tls) => tls.end(), 'ERR_TUNNEL_DIAL'],
  ['half an answer, and closes', (tls) => tls.end('HTTP/1.1 10'), 'ERR_TUNNEL_DIAL'],
  ['a reset', (_tls, tcp) => tcp.resetAndDestroy(), 'ERR_TUNNEL_DIAL'],
  ['nothing at all', () => {}, 'ERR_TUNNEL_HANDSHAKE_TIMEOUT'],
];

function refusal(headers: string): string {
  return `HTTP/1.1 403 Forbidden\r\n${headers}content-length: 0\r\n\r\n`;
}

describe('A WebSocket edge, given a hub that answers', () => {
  let hub: Server;
  let edge: Credentials;
  let answer: (tls: TLSSocket, tcp: Socket) => void;
  const sockets = new Set<Socket>();

  before(async () => {
    const authority = await TestAuthority.create();
    edge = await authority.edge();
    hub = createServer({
      ...secureContextOptions(await authority.hub()),
      requestCert: true,
      rejectUnauthorized: false,
    });
    let newest: Socket | undefined;
    hub.on('connection', (tcp: Socket) => {
      newest = tcp;
      sockets.add(tcp);
      tcp.on('error', () => {}); // the edge gives up
      tcp.on('close', () => sockets.delete(tcp));
    });
    hub.on('upgrade', (_request, tls: TLSSocket) => {
      tls.on('error', () => {}); // likewise
      assert.ok(newest);
      answer(tls, newest);
    });
    await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => hub.close(resolve));
  });

  async function dial(): Promise<TunnelError> {
    const transport = new WsTransport({
      credentials: () => edge,
      limits: tunnelLimits({ handshakeTimeoutMs: 1000 }),
    });
    const { port } = hub.address() as AddressInfo; // it listens on TCP
    const outcome = await within(
      'the failure',
      transport.dial({ host: '127.0.0.1', port }).then(
        (connection) => {
          connection.destroy({ code: 'normal', message: 'the test did not want it' });
          return 'a connection';
        },
        (error: unknown) => error,
      ),
    );
    assert.ok(outcome instanceof TunnelError, String(outcome));
    return outcome;
  }

  for (const [name, said, code] of ANSWERS) {
    it(`${name} → ${code}`, async () => {
      answer = typeof said === 'string' ? (tls) => tls.write(said) : said;
      const error = await dial();
      assert.equal(error.code, code, error.message);
    });
  }

  const ROUNDS = scaled(100, 5000);
  it(`whatever: an error with a code, ${ROUNDS} times`, async function () {
    this.timeout(scaled(30_000, 1_200_000));
    const random = seededRandom(FUZZ_SEED);
    const seeds = ANSWERS.flatMap(([, said]) =>
      typeof said === 'string' ? [Buffer.from(said).subarray(0, 300)] : [],
    );
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = hostileBytes(random, seeds);
      answer = (tls, tcp) => {
        tls.end(bytes);
        if (randomBelow(random, 3) === 0) tcp.resetAndDestroy();
      };
      const error = await dial();
      assert.match(
        error.code,
        /^ERR_TUNNEL_(DIAL|REJECTED|CERT_\w+|HANDSHAKE_TIMEOUT)$/,
        `${error.message}: ${bytes.toString('hex')}`,
      );
    }
  });
});
