import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeviceView, TwinChange } from '../twins/twins.ts';
import type { DeviceReading, DeviceViews, MapperRows } from './admin-types.ts';

/** What the admin socket shows of devices, and does with them. */
export interface AdminDevices {
  views(): readonly DeviceView[];
  view(namespace: string, name: string): DeviceView | undefined;
  /** @throws DeviceError as `Twins.set` */
  set(namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** Has the mapper read values now. @param properties none: all. @throws Error no mapper answers */
  read(namespace: string, name: string, properties: readonly string[]): Promise<DeviceReading>;
  listen(listener: (change: TwinChange) => void): () => void;
  mappers(): MapperRows;
}

const PREFIX = '/v1/devices';
const MAX_BODY_BYTES = 256 * 1024;
/** Watches at a time: people, and a few programs. */
const MAX_WATCHES = 16;

/** What of an answer is to be said. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The part of the admin socket that is about devices and mappers: docs/edgecore.md. */
export class DeviceRoutes {
  readonly #devices: () => AdminDevices | undefined;
  #watches = 0;

  /** @param devices undefined: the node has no devices */
  constructor(devices: () => AdminDevices | undefined) {
    this.#devices = devices;
  }

  serves(path: string): boolean {
    return path === PREFIX || path.startsWith(`${PREFIX}/`) || path === '/v1/mappers';
  }

  /** @throws DeviceError, Error: what could not be done */
  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const devices = this.#devices();
    const [namespace, name, ...rest] = url.pathname
      .slice(PREFIX.length + 1)
      .split('/')
      .map(decodeURIComponent);
    if (url.pathname === '/v1/mappers') {
      const none: MapperRows = { items: [], problems: [] };
      send(response, { status: 200, body: devices?.mappers() ?? none });
    } else if (url.pathname === PREFIX && request.method === 'GET') {
      const views: DeviceViews = { items: devices?.views() ?? [] };
      send(response, { status: 200, body: views });
    } else if (namespace === undefined || name === undefined || rest.length > 0) {
      send(response, failure(404, `${request.method ?? ''} ${url.pathname} is not served here`));
    } else if (devices?.view(namespace, name) === undefined) {
      send(response, failure(404, `device "${name}" in namespace "${namespace}" not found at this node`));
    } else {
      await this.#aboutOne(devices, { namespace, name }, request, url, response);
    }
  }

  async #aboutOne(
    devices: AdminDevices,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<void> {
    const query = url.searchParams;
    if (request.method === 'POST') {
      const values = readValues(await readBody(request));
      if (values === undefined) {
        send(response, failure(400, 'the body has to be {"values": {"<property>": "<text>"}}'));
        return;
      }
      await devices.set(namespace, name, values);
      send(response, { status: 200, body: devices.view(namespace, name) });
    } else if (request.method !== 'GET') {
      send(response, failure(405, `${request.method ?? ''} is not for devices`));
    } else if (query.has('read')) {
      send(response, { status: 200, body: await devices.read(namespace, name, query.getAll('property')) });
    } else if (query.has('watch')) {
      this.#watch(devices, namespace, name, response);
    } else {
      send(response, { status: 200, body: devices.view(namespace, name) });
    }
  }

  /** One view a line, now and after each change. Who reads slowly gets fewer of them: the latest. */
  #watch(devices: AdminDevices, namespace: string, name: string, response: ServerResponse): void {
    if (this.#watches >= MAX_WATCHES) {
      send(response, failure(429, `${MAX_WATCHES} watches are open; there can be no more`));
      return;
    }
    this.#watches += 1;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    let changed = false;
    let blocked = false;
    const say = (): void => {
      if (blocked) {
        changed = true;
        return;
      }
      changed = false;
      const view = devices.view(namespace, name);
      if (view === undefined) response.end();
      else blocked = !response.write(`${JSON.stringify(view)}\n`);
    };
    const end = devices.listen((change) => {
      if (change.namespace === namespace && change.name === name) say();
    });
    response.on('drain', () => {
      blocked = false;
      if (changed) say();
    });
    response.on('close', () => {
      this.#watches -= 1;
      end();
    });
    say();
  }
}

function failure(status: number, message: string): Answer {
  return { status, body: { error: { code: 'ERR_EDGECORE_ADMIN', message } } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** undefined: too long, or no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return undefined; // the answer says what it has to be
  }
}

function readValues(body: unknown): Readonly<Record<string, string>> | undefined {
  const values = typeof body === 'object' && body !== null && 'values' in body ? body.values : undefined;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return undefined;
  const entries = Object.entries(values);
  const isText = (entry: readonly [string, unknown]): entry is [string, string] =>
    typeof entry[1] === 'string';
  return entries.length > 0 && entries.every(isText) ? Object.fromEntries(entries) : undefined;
}
