import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

/** A client certificate with its key, PEM. */
export interface ClientPem {
  readonly key: string;
  readonly cert: string;
}

/** What is sent to a kubelet. */
export interface KubeletCall {
  readonly host: string;
  readonly port: number;
  /** Absent: none. */
  readonly client?: ClientPem;
  /** `GET /healthz`. */
  readonly line: string;
  /** As they are written, beside `Host`. */
  readonly headers: readonly string[];
  /** What the client would like to speak. Default: nothing is said about it, as by kube-apiserver. */
  readonly alpn?: readonly string[];
}

/** What came back: the head, and the connection, which has the rest. */
export interface KubeletAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly socket: TLSSocket;
  /** Bytes behind the head that have come already. */
  readonly head: Buffer;
}

const HEAD_END = '\r\n\r\n';

/** Sends one request, byte for byte as it is given here, and reads the head of the answer. */
export async function callKubelet(call: KubeletCall): Promise<KubeletAnswer> {
  const { host, port, client, line, headers, alpn } = call;
  const socket = connect({
    ...{ host, port, rejectUnauthorized: false },
    ...client,
    ...(alpn && { ALPNProtocols: [...alpn] }),
  });
  await once(socket, 'secureConnect');
  socket.write([`${line} HTTP/1.1`, `Host: ${host}:${port}`, ...headers, '', ''].join('\r\n'));
  let seen = Buffer.alloc(0);
  while (!seen.includes(HEAD_END)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen = Buffer.concat([seen, chunk]);
  }
  socket.pause();
  const end = seen.indexOf(HEAD_END);
  const [statusLine = '', ...fields] = seen.subarray(0, end).toString().split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(fields.map((field) => headerOf(field))),
    socket,
    head: seen.subarray(end + HEAD_END.length),
  };
}

/** Sends one request, and reads the whole answer until the connection ends. */
export async function askKubelet(
  call: KubeletCall,
): Promise<{ readonly status: number; readonly text: string }> {
  const { status, socket, head, headers } = await callKubelet({
    ...call,
    headers: [...call.headers, 'Connection: close'],
  });
  const chunks = [head];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  return { status, text: headers.get('transfer-encoding') === 'chunked' ? unchunked(body) : body };
}

function headerOf(field: string): [string, string] {
  const at = field.indexOf(':');
  return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
}

/** Source: RFC 9112, section 7.1. */
function unchunked(body: string): string {
  const bytes = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (!(length > 0)) return Buffer.concat(parts).toString();
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}
