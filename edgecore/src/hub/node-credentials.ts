import type { Credentials } from '@hawser/proto';
import type { Logger } from '@hawser/seams';
import type { CertificateRotation } from '../identity/certificate-rotation.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import { isCertificateError } from './session-record.ts';

/** What of an identity is asked and told. */
type ShownIdentity = Pick<NodeIdentity, 'credentials' | 'confirm' | 'refused'>;

/**
 * Shows the node's certificate at each handshake, and tells the identity what came of it: a renewed certificate counts
 * once a hub has let it in, and one that a hub refuses makes way for the former.
 */
export class NodeCredentials {
  readonly #identity: ShownIdentity;
  readonly #rotation: Pick<CertificateRotation, 'renewNow'>;
  readonly #log: Logger;
  #shown: Credentials | undefined;

  constructor(options: {
    readonly identity: ShownIdentity;
    readonly rotation: Pick<CertificateRotation, 'renewNow'>;
    readonly log: Logger;
  }) {
    this.#identity = options.identity;
    this.#rotation = options.rotation;
    this.#log = options.log;
  }

  /** For `TransportOptions.credentials`. */
  show(): Credentials {
    this.#shown = this.#identity.credentials();
    return this.#shown;
  }

  /** A hub has let the node in. */
  letIn(): void {
    if (this.#shown === undefined) return;
    this.#identity.confirm(this.#shown).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'the renewed certificate could not be put in its place, will try again');
    });
  }

  /** An attempt failed. */
  failed(error: Error): void {
    if (this.#shown === undefined || !isCertificateError(error)) return;
    // Where it is the hub's, too: the former credentials have other authorities, by which it may hold.
    this.#identity.refused(this.#shown);
    const { code, certificate } = error;
    if (code === 'ERR_TUNNEL_CERT_EXPIRED' && certificate === 'own') void this.#rotation.renewNow();
  }
}
