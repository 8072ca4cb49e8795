import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { NodeIdentity } from '@hawser/edgecore';
import {
  encodeScopeState,
  TunnelClient,
  tunnelLimits,
  WsTransport,
  type CloseReason,
  type Credentials,
  type HubAddress,
  type SessionFrame,
  type Tunnel,
  type UpstreamAck,
} from '@hawser/proto';
import { eventually, within } from '@hawser/seams/testing';
import { packJson } from '@hawser/sync';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';

/** The identity of a node that has joined. */
export async function identityOf(edge: SiteEdge): Promise<Credentials> {
  return (await NodeIdentity.load({ folder: path.join(edge.dataDir, 'pki') })).credentials();
}

/** A program that speaks the tunnel's protocol with a node's certificate, and says to a hub whatever a test wants. */
export class RawEdge {
  readonly node: string;
  readonly frames: SessionFrame[] = [];
  /** Why there was no session, each time. */
  readonly failures: { readonly code: string; readonly message: string }[] = [];
  readonly #client: TunnelClient;
  readonly #transport: WsTransport;
  #ends: Promise<CloseReason>[] = [];
  #sequence = 0;

  constructor(node: string, credentials: Credentials, hub: HubAddress, lastEpoch = 0) {
    this.node = node;
    this.#transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
    this.#client = new TunnelClient({
      routes: [{ transport: this.#transport, hub }],
      hello: () => ({ node, software: 'raw/1', heartbeatMs: 2000, lastEpoch }),
      onTunnel: (tunnel) => {
        this.#ends.push(tunnel.closed);
        return (frame) => {
          this.frames.push(frame);
          return Promise.resolve();
        };
      },
      onDown: (error) => {
        const { code = '' } = error as { readonly code?: string };
        this.failures.push({ code, message: error.message });
      },
    });
    this.#client.start();
  }

  get tunnel(): Tunnel | undefined {
    return this.#client.tunnel;
  }

  /** The present session, waited for. */
  async session(): Promise<Tunnel> {
    await eventually(`a session of ${this.node}`, () => this.#client.tunnel !== undefined, {
      deadlineMs: 20_000,
    });
    const { tunnel } = this.#client;
    if (tunnel === undefined) throw new Error('the session ended at once');
    return tunnel;
  }

  /** Why the present session ends; it is waited for. */
  async end(): Promise<CloseReason> {
    const last = this.#ends.at(-1);
    if (last === undefined) throw new Error('there was no session');
    return await within('the end of the session', last, 20_000);
  }

  /** The code of the first refusal to let it in. */
  async refused(): Promise<string> {
    await eventually('a refusal', () => this.failures.length > 0, { deadlineMs: 20_000 });
    return this.failures[0]?.code ?? '';
  }

  /** Says something as an Upstream, and answers what the hub says to it. */
  async upstream(kind: string, body: object | Uint8Array): Promise<UpstreamAck> {
    const sequence = ++this.#sequence;
    const bytes = body instanceof Uint8Array ? body : packJson(body);
    await (await this.session()).send({ upstream: { sequence, kind, body: bytes } });
    let answer: UpstreamAck | undefined;
    await eventually(
      `an answer to ${kind}`,
      () => {
        for (const frame of this.frames)
          if (frame.body === 'upstreamAck' && frame.upstreamAck.sequence === sequence)
            answer = frame.upstreamAck;
        return answer !== undefined;
      },
      { deadlineMs: 20_000 },
    );
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** Subscribes to a scope of which it has nothing. */
  async subscribe(scope: number, kind: string, name: string, state = emptyState()): Promise<void> {
    await (await this.session()).send({ subscribe: { scope, kind, name, state } });
  }

  async stop(): Promise<void> {
    await this.#client.stop();
    await this.#transport.close();
  }
}

function emptyState(): Uint8Array {
  return encodeScopeState({
    normalForm: 1,
    digest: new Uint8Array(16),
    count: 0,
    stamp: new Uint8Array(0),
  });
}

/** Bytes that mean nothing. */
export function garbage(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
