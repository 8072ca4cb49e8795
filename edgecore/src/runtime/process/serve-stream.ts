import { serveSpdy } from './spdy-streams.ts';
import type { ServeStream } from './stream-tickets.ts';
import { serveWebSocket } from './web-socket-streams.ts';

/** Serves an upgraded request in the protocol that the client has asked for. */
export const serveStream: ServeStream = (target, request, socket, head) => {
  const isSpdy = request.headers.upgrade?.toLowerCase() === 'spdy/3.1';
  (isSpdy ? serveSpdy : serveWebSocket)(target, request, socket, head);
};
