import type { TLSSocket } from 'node:tls';

/** Who a client certificate says that the client is. */
export interface ClientUser {
  readonly name: string;
  /** With `system:authenticated`. */
  readonly groups: readonly string[];
}

/** Group of everybody who proved who they are. Source: k8s.io/apiserver authentication/user. */
const AUTHENTICATED = 'system:authenticated';

/**
 * The user of a connection whose certificate the TLS layer has verified: CN is the name, each O a group. Undefined:
 * there is no certificate, it was not signed by the client authority, or it names nobody.
 * Source: k8s.io/apiserver authentication/request/x509 CommonNameUserConversion.
 */
export function clientUser(socket: TLSSocket): ClientUser | undefined {
  if (!socket.authorized) return undefined;
  // An empty object if the client sent none; the declared type does not say so.
  const { subject }: Partial<ReturnType<TLSSocket['getPeerCertificate']>> = socket.getPeerCertificate();
  // Repeated attributes come as arrays; the declared type does not say so.
  const said = subject as { CN?: string | readonly string[]; O?: string | readonly string[] } | undefined;
  const [name = ''] = [said?.CN ?? []].flat();
  if (name === '') return undefined;
  return { name, groups: [...[said?.O ?? []].flat(), AUTHENTICATED] };
}
