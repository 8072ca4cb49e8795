import { request } from 'node:https';
import { isTunnelErrorCode, TunnelError, WsTransport, type HubAddress } from '../../src/index.ts';
import { SUBPROTOCOL, TUNNEL_PATH } from '../../src/transport/ws/ws-options.ts';
import { ERROR_HEADER } from '../../src/transport/ws/ws-dial.ts';
import type { TransportUnderTest } from './harness.ts';

/** The WebSocket transport, as the contract suite sees it. */
export const wsUnderTest: TransportUnderTest = {
  name: 'ws',
  create: (options) => new WsTransport(options),
  dialerKeys: ['ed25519', 'p256'],
  dialWithoutCertificate,
};

function dialWithoutCertificate(hub: HubAddress): Promise<never> {
  return new Promise((_resolve, reject) => {
    const upgrade = request({
      ...hub,
      path: TUNNEL_PATH,
      rejectUnauthorized: false, // this client is the attacker: it does not care who the hub is
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': SUBPROTOCOL,
      },
    });
    upgrade.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the hub let a client without a certificate in'));
    });
    upgrade.on('response', (response) => {
      response.resume();
      const code = String(response.headers[ERROR_HEADER]);
      reject(
        isTunnelErrorCode(code)
          ? new TunnelError(code, 'refused')
          : new Error(`HTTP ${response.statusCode ?? 0}`),
      );
    });
    upgrade.on('error', reject);
    upgrade.end();
  });
}
