import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { X509Certificate, createHash } from 'node:crypto';
import { once } from 'node:events';

/** How far a probe came, and why not further. */
export interface HubProbe {
  /** Addresses that the name has; empty: it could not be resolved. */
  readonly addresses: readonly string[];
  /** What did not work. */
  readonly failure?: {
    readonly step: 'dns' | 'tcp' | 'tls' | 'authority';
    readonly why: string;
    readonly code: string;
  };
  /** The certificate that the hub has shown; nothing has verified it. */
  readonly certificate?: X509Certificate;
  /** The authority that the pin names, where the hub has it. */
  readonly authority?: X509Certificate;
  /** The hub's clock, milliseconds since the epoch; whole seconds, unverified. */
  readonly hubTimeMs?: number;
}

/** For each step, milliseconds. */
const STEP_MS = 5000;
const MAX_BYTES = 256 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

class StepError extends Error {
  readonly step: NonNullable<HubProbe['failure']>['step'];

  constructor(step: NonNullable<HubProbe['failure']>['step'], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.step = step;
  }

  get code(): string {
    const { code } = (this.cause ?? {}) as { readonly code?: unknown };
    return typeof code === 'string' ? code : '';
  }
}

/**
 * Looks how far the way to a hub leads, one step after the other: name, connection, TLS, authority. Nothing secret is
 * sent, and nothing that comes back is believed: this finds out what to tell, `joinCluster` verifies.
 * @param pin SHA-256 of the authority's DER
 */
export async function probeHub(
  hub: { readonly host: string; readonly port: number },
  pin: string,
  signal: AbortSignal,
): Promise<HubProbe> {
  const found: { -readonly [Name in keyof HubProbe]: HubProbe[Name] } = { addresses: [] };
  let socket: Socket | undefined;
  try {
    found.addresses = await step('dns', async () => {
      const entries = await lookup(hub.host, { all: true });
      return entries.map(({ address }) => address);
    });
    socket = await step('tcp', (ending) => connected(hub, ending));
    const tls = await step('tls', (ending) => secured(hub, socket, ending));
    socket = tls;
    const shown = tls.getPeerX509Certificate();
    if (shown !== undefined) found.certificate = shown;
    const { text, date } = await step('authority', (ending) => askAuthority(hub, tls, ending));
    if (date !== undefined) found.hubTimeMs = date;
    const authority = pinned(text, pin);
    if (authority !== undefined) found.authority = authority;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StepError)) throw error;
    found.failure = { step: error.step, why: error.message, code: error.code };
  } finally {
    socket?.destroy();
  }
  return found;

  async function step<T>(name: StepError['step'], work: (ending: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(STEP_MS);
    const ending = AbortSignal.any([signal, deadline]);
    try {
      return await work(ending);
    } catch (error) {
      const cause = deadline.aborted ? new Error(`no answer within ${STEP_MS / 1000} s`) : error;
      throw new StepError(name, cause);
    }
  }
}

async function connected(
  { host, port }: { host: string; port: number },
  ending: AbortSignal,
): Promise<Socket> {
  const socket = connectTcp({ host, port, signal: ending });
  socket.on('error', () => {}); // heard by who waits
  try {
    await once(socket, 'connect', { signal: ending });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

async function secured(
  { host }: { host: string },
  socket: Socket | undefined,
  ending: AbortSignal,
): Promise<TLSSocket> {
  if (socket === undefined) throw new TypeError('there is no connection');
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const tls = connectTls({ socket, minVersion: 'TLSv1.3', rejectUnauthorized: false, ...servername });
  tls.on('error', () => {}); // heard by who waits
  const closed = once(tls, 'close', { signal: ending }).then(() => {
    throw new Error('it closed the connection');
  });
  await Promise.race([once(tls, 'secureConnect', { signal: ending }), closed]);
  closed.catch(() => {}); // it closes later, in good order
  return tls;
}

function askAuthority(
  { host, port }: { host: string; port: number },
  tls: TLSSocket,
  ending: AbortSignal,
): Promise<{ readonly text: string; readonly date: number | undefined }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        createConnection: () => tls,
        method: 'GET',
        path: '/v1/authority',
        headers: { host: `${isIP(host) === 6 ? `[${host}]` : host}:${port}`, connection: 'close' },
        signal: ending,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_BYTES) answer.destroy(new Error('its answer is too long for a hub'));
        });
        answer.on('error', reject);
        answer.on('end', () => {
          const date = Date.parse(answer.headers.date ?? '');
          if (answer.statusCode === 200) resolve({ text, date: Number.isNaN(date) ? undefined : date });
          else reject(new Error(`it answers ${answer.statusCode ?? 0}, as no hub of Hawser does`));
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function pinned(text: string, pin: string): X509Certificate | undefined {
  for (const block of text.match(CERTIFICATE) ?? []) {
    try {
      const certificate = new X509Certificate(block);
      if (createHash('sha256').update(certificate.raw).digest('hex') === pin) return certificate;
    } catch {
      continue; // not the one that is looked for
    }
  }
  return undefined;
}
