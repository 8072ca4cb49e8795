import { Counter, Gauge, Registry } from '@hawser/seams/metrics';
import type { HandshakeGate } from './transport/handshake-gate.ts';
import type { Connection } from './transport/transport.ts';

/** What a connection is for. */
export type ConnectionPurpose = 'control' | 'bulk';

/**
 * Prometheus metrics of the tunnel, in a registry of the caller's (default: one of their own). Connections are
 * added up when they are read; no connection or node has a series of its own.
 */
export class TunnelMetrics {
  readonly registry: Registry;
  readonly #connections = new Map<Connection, ConnectionPurpose>();
  readonly #gates: HandshakeGate[] = [];
  readonly #closed: Counter<'transport' | 'purpose' | 'reason'>;
  readonly #failed: Counter<'transport' | 'code'>;
  readonly #reconnects: Counter<'code'>;
  /** Of connections that ended. */
  readonly #ended = { sent: 0, received: 0, resets: 0 };

  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    this.#closed = new Counter({
      name: 'hawser_tunnel_connections_closed_total',
      help: 'Connections that ended, by reason.',
      labelNames: ['transport', 'purpose', 'reason'],
      registers,
    });
    this.#failed = new Counter({
      name: 'hawser_tunnel_handshakes_failed_total',
      help: 'Handshakes that did not lead to a session, by error code.',
      labelNames: ['transport', 'code'],
      registers,
    });
    this.#reconnects = new Counter({
      name: 'hawser_tunnel_reconnects_total',
      help: 'Waits before a new attempt to connect, by the error code that led to it.',
      labelNames: ['code'],
      registers,
    });
    this.#addTotals(registers);
    this.#addGauges(registers);
  }

  /** Counts a connection until it ends. */
  connectionOpened(connection: Connection, purpose: ConnectionPurpose): void {
    this.#connections.set(connection, purpose);
    void connection.closed.then((reason) => {
      this.#connections.delete(connection);
      this.#closed.inc({ transport: connection.transport, purpose, reason: reason.code });
      this.#ended.sent += connection.stats.bytesSent;
      this.#ended.received += connection.stats.bytesReceived;
      this.#ended.resets += connection.stats.streamsReset;
    });
  }

  /** Counts a handshake that failed. */
  handshakeFailed(transport: string, code: string): void {
    this.#failed.inc({ transport, code });
  }

  /** Counts a wait before a reconnect. */
  reconnect(code: string): void {
    this.#reconnects.inc({ code });
  }

  /** Shows a gate's numbers. */
  observeGate(gate: HandshakeGate): void {
    this.#gates.push(gate);
  }

  #addTotals(registers: Registry[]): void {
    const connections = this.#connections;
    const ended = this.#ended;
    new Counter({
      name: 'hawser_tunnel_bytes_total',
      help: 'Bytes of frames and streams, before TLS.',
      labelNames: ['direction'],
      registers,
      collect() {
        this.reset();
        this.inc({ direction: 'sent' }, ended.sent + sum(connections.keys(), ({ stats }) => stats.bytesSent));
        this.inc(
          { direction: 'received' },
          ended.received + sum(connections.keys(), ({ stats }) => stats.bytesReceived),
        );
      },
    });
    new Counter({
      name: 'hawser_tunnel_streams_reset_total',
      help: 'Streams that were given up by either side.',
      registers,
      collect() {
        this.reset();
        this.inc(ended.resets + sum(connections.keys(), ({ stats }) => stats.streamsReset));
      },
    });
  }

  #addGauges(registers: Registry[]): void {
    const connections = this.#connections;
    const gates = this.#gates;
    new Gauge({
      name: 'hawser_tunnel_connections',
      help: 'Connections that are up.',
      labelNames: ['transport', 'purpose'],
      registers,
      collect() {
        this.reset();
        for (const [{ transport }, purpose] of connections) this.inc({ transport, purpose });
      },
    });
    new Gauge({
      name: 'hawser_tunnel_streams',
      help: 'Streams that are open.',
      registers,
      collect() {
        this.set(sum(connections.keys(), ({ stats }) => stats.openStreams));
      },
    });
    new Gauge({
      name: 'hawser_tunnel_send_queue_bytes',
      help: 'Bytes handed to sockets and not yet written by them.',
      registers,
      collect() {
        this.set(sum(connections.keys(), ({ stats }) => stats.sendQueueBytes));
      },
    });
    new Gauge({
      name: 'hawser_tunnel_handshakes',
      help: 'Handshakes going on.',
      registers,
      collect() {
        this.set(sum(gates, (gate) => gate.handshakes));
      },
    });
    new Gauge({
      name: 'hawser_tunnel_handshakes_waiting',
      help: 'Connections that wait for their turn to begin a handshake.',
      registers,
      collect() {
        this.set(sum(gates, (gate) => gate.waiting));
      },
    });
    new Gauge({
      name: 'hawser_tunnel_handshakes_refused',
      help: 'Connections closed before any work because of a limit, since the start, by limit.',
      labelNames: ['limit'],
      registers,
      collect() {
        for (const gate of gates) for (const [limit, count] of gate.refused) this.set({ limit }, count);
      },
    });
  }
}

function sum<T>(items: Iterable<T>, value: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}
