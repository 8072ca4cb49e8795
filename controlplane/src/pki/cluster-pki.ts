import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import type { Clock } from '@hawser/seams';
import { ControlPlaneError } from '../errors.ts';
import { issueCertificate, makeAuthority, type CertificateOrder, type KeyPair } from './certificates.ts';
import { readIfThere, writePrivateFile } from './private-file.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const CERTIFICATE_DAYS = 365;
/** Of the life of a certificate; then it is renewed. */
const RENEW_REST = 1 / 3;
/** Clocks of clients may be behind. */
const BACKDATE_MS = DAY_MS;
const PRIVATE_FOLDER = 0o700;

/** Settings of {@link ClusterPki}. */
export interface ClusterPkiOptions {
  /** The folder for keys; made if it is not there (0700). Absent: keys live as long as the process. */
  readonly dir?: string;
  /** Names and addresses by which clients reach the API server. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
}

/** Keys and certificates as they are now. */
export interface PkiState {
  readonly authority: KeyPair;
  readonly serving: KeyPair;
  /** CN `kubernetes-admin`, O `system:masters`. */
  readonly admin: KeyPair;
  /** Of the controllers; never on disk. */
  readonly controllers: KeyPair;
  /** Of the API server as a client of kubelets: CN {@link KUBELET_CLIENT}; never on disk. */
  readonly kubeletClient: KeyPair;
  /** Signs service account tokens: ECDSA P-256, PKCS#8 PEM. */
  readonly tokenKey: string;
}

const MASTERS = 'system:masters';
/** The pairs of these names stay in memory. */
const CONTROLLERS = 'controllers';
/** User that the API server is to kubelets. */
export const KUBELET_CLIENT = 'kube-apiserver-kubelet-client';
const IN_MEMORY = [CONTROLLERS, KUBELET_CLIENT];

/**
 * The control plane's keys: an authority, the certificates that it issued, and the key for tokens. Made at the first
 * start, kept in files that only their owner may read, renewed when a third of their life is left.
 */
export class ClusterPki {
  readonly #options: ClusterPkiOptions;
  /** What is not written to files, by the name that the file would have. */
  readonly #kept = new Map<string, string>();
  #state: PkiState | undefined;

  constructor(options: ClusterPkiOptions) {
    this.#options = options;
  }

  /** @throws TypeError before {@link load} */
  get state(): PkiState {
    if (this.#state === undefined) throw new TypeError('the keys have not been loaded');
    return this.#state;
  }

  /**
   * Reads what is there, makes what is missing, renews what is old.
   * @throws ControlPlaneError `ERR_CONTROLPLANE_PKI`, `ERR_CONTROLPLANE_CA_EXPIRED`, `ERR_CONTROLPLANE_DATA_DIR`
   */
  async load(): Promise<PkiState> {
    await this.#makeFolder();
    const authority = await this.#authority();
    const tokenKey = await this.#tokenKey();
    this.#state = {
      authority,
      tokenKey,
      serving: await this.#certificate('apiserver', authority, {
        commonName: 'kube-apiserver',
        hosts: this.#options.hosts,
      }),
      admin: await this.#certificate('admin', authority, {
        commonName: 'kubernetes-admin',
        organizations: [MASTERS],
      }),
      controllers: await this.#certificate(CONTROLLERS, authority, {
        commonName: 'system:kube-controller-manager',
        organizations: [MASTERS],
      }),
      kubeletClient: await this.#certificate(KUBELET_CLIENT, authority, { commonName: KUBELET_CLIENT }),
    };
    return this.#state;
  }

  async #makeFolder(): Promise<void> {
    const { dir } = this.#options;
    if (dir === undefined) return;
    try {
      await mkdir(dir, { recursive: true, mode: PRIVATE_FOLDER });
      await chmod(dir, PRIVATE_FOLDER);
    } catch (cause) {
      const text = `the folder ${dir} cannot be made: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_DATA_DIR', text, { cause, about: dir });
    }
  }

  async #authority(): Promise<KeyPair> {
    const present = await this.#readPair('ca');
    if (present !== undefined) this.#check('ca.crt', () => checkPair(present));
    else {
      const made = await makeAuthority('hawser-controlplane', this.#validity(AUTHORITY_DAYS));
      await this.#writePair('ca', made);
      return made;
    }
    const { validFrom, validTo } = new X509Certificate(present.cert);
    const nowMs = this.#options.clock.wallMs();
    if (nowMs < Date.parse(validFrom) || nowMs > Date.parse(validTo)) {
      const text = `the certificate authority is valid from ${validFrom} to ${validTo}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_CA_EXPIRED', text);
    }
    return present;
  }

  async #certificate(
    name: string,
    authority: KeyPair,
    order: Omit<CertificateOrder, 'notBeforeMs' | 'notAfterMs'>,
  ): Promise<KeyPair> {
    const present = await this.#readPair(name);
    // What does not fit is a renewal that was cut off: another one is all that it takes.
    if (present !== undefined && fits(present) && this.#isGood(present, authority, order.hosts))
      return present;
    const made = await issueCertificate(authority, { ...order, ...this.#validity(CERTIFICATE_DAYS) });
    await this.#writePair(name, made);
    return made;
  }

  #isGood({ cert }: KeyPair, authority: KeyPair, hosts: readonly string[] = []): boolean {
    const certificate = new X509Certificate(cert);
    if (!certificate.verify(new X509Certificate(authority.cert).publicKey)) return false;
    const fromMs = Date.parse(certificate.validFrom);
    const toMs = Date.parse(certificate.validTo);
    const restMs = toMs - this.#options.clock.wallMs();
    if (restMs < (toMs - fromMs) * RENEW_REST || restMs > toMs - fromMs) return false;
    return hosts.every((host) =>
      isIP(host) === 0 ? certificate.checkHost(host) !== undefined : certificate.checkIP(host) !== undefined,
    );
  }

  #validity(days: number): { readonly notBeforeMs: number; readonly notAfterMs: number } {
    const nowMs = this.#options.clock.wallMs();
    return { notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: nowMs + days * DAY_MS };
  }

  async #tokenKey(): Promise<string> {
    const present = await this.#read('sa.key');
    if (present !== undefined) {
      this.#check('sa.key', () => createPrivateKey(present));
      return present;
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await this.#write('sa.key', pem);
    return pem;
  }

  /** Both files, or neither: a key without its certificate is what a crash at the first start leaves behind. */
  async #readPair(name: string): Promise<KeyPair | undefined> {
    const cert = await this.#read(`${name}.crt`);
    const key = await this.#read(`${name}.key`);
    return cert === undefined || key === undefined ? undefined : { cert, key };
  }

  /** The key first: a certificate is there only with its key. */
  async #writePair(name: string, { cert, key }: KeyPair): Promise<void> {
    await this.#write(`${name}.key`, key);
    await this.#write(`${name}.crt`, cert);
  }

  #check(name: string, read: () => void): void {
    try {
      read();
    } catch (cause) {
      const text = `${name} cannot be used: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_PKI', text, { cause, about: this.#path(name) });
    }
  }

  async #read(name: string): Promise<string | undefined> {
    if (this.#isKept(name)) return this.#kept.get(name);
    try {
      return await readIfThere(this.#path(name));
    } catch (cause) {
      const text = `${name} cannot be read: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_PKI', text, { cause, about: this.#path(name) });
    }
  }

  async #write(name: string, content: string): Promise<void> {
    if (this.#isKept(name)) {
      this.#kept.set(name, content);
      return;
    }
    try {
      await writePrivateFile(this.#path(name), content);
    } catch (cause) {
      const text = `${name} cannot be written: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_DATA_DIR', text, { cause, about: this.#path(name) });
    }
  }

  #isKept(name: string): boolean {
    return this.#options.dir === undefined || IN_MEMORY.some((kept) => name.startsWith(`${kept}.`));
  }

  #path(name: string): string {
    return path.join(this.#options.dir ?? '', name);
  }
}

/** @throws Error if the key is not the certificate's, or one of them cannot be read */
function checkPair({ cert, key }: KeyPair): void {
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new TypeError('the key is not that of the certificate');
  }
}

function fits(pair: KeyPair): boolean {
  try {
    checkPair(pair);
    return true;
  } catch {
    return false; // unreadable or of two kinds: both mean the same to the caller
  }
}
