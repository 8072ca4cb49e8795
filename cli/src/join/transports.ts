/** How a node may connect, as `hub.transport` of edgecore has it. */
export const TRANSPORTS = ['ws', 'quic', 'webtransport', 'auto'] as const;
export type TransportChoice = (typeof TRANSPORTS)[number];
