import type { TLSSocket } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { AUTHENTICATED, type UserInfo } from './user.ts';

/** What an authenticator says of a request: who it is, or nothing where it knows no credentials of its kind. */
export interface Authenticator {
  /**
   * @throws StatusError Unauthorized for credentials that are of its kind and wrong.
   */
  authenticate(request: IncomingMessage): UserInfo | undefined | Promise<UserInfo | undefined>;
}

/** What a token proves. */
export interface TokenIdentity {
  readonly user: UserInfo;
  /** Audiences for which it is good; absent: those of the API server. */
  readonly audiences?: readonly string[];
}

/** Checks bearer tokens: service account tokens, bootstrap tokens. */
export interface TokenAuthenticator {
  /**
   * Who the token stands for, or undefined if it is not valid. `audiences`: it must be good for one of them; empty:
   * for the API server's own.
   */
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): TokenIdentity | undefined | Promise<TokenIdentity | undefined>;
}

/**
 * Client certificates that the TLS layer has verified: CN is the user, each O a group.
 * Source: k8s.io/apiserver authentication/request/x509 CommonNameUserConversion.
 */
export const clientCertificateAuthenticator: Authenticator = {
  authenticate(request) {
    const socket = request.socket as Partial<TLSSocket>; // plain sockets have none of these members
    if (socket.authorized !== true || socket.getPeerCertificate === undefined) return undefined;
    // An empty object if the client sent none; the declared type does not say so.
    const certificate: Partial<ReturnType<TLSSocket['getPeerCertificate']>> = socket.getPeerCertificate();
    const subject = certificate.subject as
      { readonly CN?: string | readonly string[]; readonly O?: string | readonly string[] } | undefined; // repeated attributes come as arrays
    const [username] = [subject?.CN ?? []].flat();
    if (username === undefined || username === '') return undefined;
    const groups = [subject?.O ?? []].flat();
    return { username, uid: '', groups: [...groups, AUTHENTICATED], extra: {} };
  },
};
