import {
  QuicTransport,
  WebTransportTransport,
  WsTransport,
  type Route,
  type TransportOptions,
} from '@hawser/proto';
import type { EdgeConfig } from '../config/options.ts';
import { parseHubAddress } from './hub-address.ts';

/** The ways to the hub, best first. */
export function routesTo(
  { address, quicPort, webTransportPort, transport }: EdgeConfig['hub'],
  options: TransportOptions,
): readonly Route[] {
  const hub = parseHubAddress(address);
  const ws = (): Route => ({ transport: new WsTransport(options), hub });
  const quic = (): Route => ({
    transport: new QuicTransport(options),
    hub: { host: hub.host, port: quicPort },
  });
  switch (transport) {
    case 'ws':
      return [ws()];
    case 'quic':
      return [quic()];
    case 'webtransport':
      return [
        {
          transport: new WebTransportTransport(options),
          hub: { host: hub.host, port: webTransportPort },
        },
      ];
    case 'auto':
      return [quic(), ws()];
  }
}
