import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { CloudCoreError } from '../errors.ts';
import { serialNumber, type Authority } from './authority.ts';
import { nodeCommonName, NODES_ORGANIZATION } from './node-name.ts';
import { x509 } from './x509.ts';

/** Subject of a hub's certificate. */
const HUB_SUBJECT = [{ O: ['hawser:hubs'] }, { CN: ['cloudcore'] }];
/** Clocks of the hub's replicas differ. */
const NODE_BACKDATE_MS = 3600_000;
const HOST_NAME = /^(?=.{1,253}$)(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i;

/** Issues certificates of the authority, and decides what is in them: of a request it takes the key and nothing else. */
export class CertificateSigner {
  readonly #authority: Authority;

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  /**
   * A certificate of a node: client and server usage (peers of a pool serve each other), no alternative names. Without
   * those it cannot be taken for a hub's, whatever the node is called. Valid from an hour ago.
   * @param spki the node's public key, DER
   * @param nowMs wall time, milliseconds since the epoch
   */
  async issueNode(
    spki: Uint8Array,
    node: string,
    nowMs: number,
    lifetimeMs: number,
  ): Promise<X509Certificate> {
    return await this.#issue(spki, [{ O: [NODES_ORGANIZATION] }, { CN: [nodeCommonName(node)] }], {
      notBeforeMs: nowMs - NODE_BACKDATE_MS,
      notAfterMs: nowMs + lifetimeMs,
      usages: [x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth],
      names: [],
    });
  }

  /**
   * A certificate of a hub: server usage. It is valid from when the authority is: an edge without a clock knows little
   * more than when it joined, and must not take a hub's certificate for one of the future.
   * @param names DNS names and IP addresses by which edges dial it
   * @throws CloudCoreError `ERR_CLOUDCORE_HUB_NAME`
   */
  async issueHub(
    spki: Uint8Array,
    names: readonly string[],
    nowMs: number,
    lifetimeMs: number,
  ): Promise<X509Certificate> {
    if (names.length === 0)
      throw new CloudCoreError('ERR_CLOUDCORE_HUB_NAME', 'the hub has no name to be dialled by');
    return await this.#issue(spki, HUB_SUBJECT, {
      notBeforeMs: Date.parse(this.#authority.certificate.validFrom),
      notAfterMs: nowMs + lifetimeMs,
      usages: [x509.ExtendedKeyUsage.serverAuth],
      names: names.map(generalName),
    });
  }

  async #issue(
    spki: Uint8Array,
    subject: x509.JsonName,
    order: {
      notBeforeMs: number;
      notAfterMs: number;
      usages: x509.ExtendedKeyUsage[];
      names: x509.JsonGeneralName[];
    },
  ): Promise<X509Certificate> {
    const { certificate: issuer, signing } = this.#authority;
    const issuerX509 = new x509.X509Certificate(issuer.raw);
    const publicKey = new x509.PublicKey(spki);
    const issued = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: issuerX509.subjectName, // as it is encoded there: issuers are compared byte by byte
      publicKey,
      signingKey: signing.key,
      signingAlgorithm: signing.algorithm,
      notBefore: new Date(order.notBeforeMs),
      // An authority does not vouch beyond its own end.
      notAfter: new Date(Math.min(order.notAfterMs, Date.parse(issuer.validTo))),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(order.usages),
        await x509.AuthorityKeyIdentifierExtension.create(issuerX509.publicKey),
        ...(order.names.length > 0 ? [new x509.SubjectAlternativeNameExtension(order.names)] : []),
      ],
    });
    return new X509Certificate(Buffer.from(issued.rawData));
  }
}

function generalName(name: string): x509.JsonGeneralName {
  if (isIP(name) !== 0) return { type: 'ip', value: name };
  if (HOST_NAME.test(name)) return { type: 'dns', value: name };
  const message = `${JSON.stringify(name)} is neither a DNS name nor an IP address`;
  throw new CloudCoreError('ERR_CLOUDCORE_HUB_NAME', message);
}
