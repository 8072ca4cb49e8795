import { createHmac, timingSafeEqual } from 'node:crypto';
import { systemClock, type Clock } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';

/** What a genuine stamp says. */
export interface StampFacts {
  /** The highest resourceVersion that the hub had seen when it gave the stamp. */
  readonly version: bigint;
  /** By the hub's clock, milliseconds since the epoch. */
  readonly issuedAtMs: number;
}

/** Settings of {@link Stamps}. */
export interface StampsOptions {
  /** 32 bytes, the same for all replicas: see `IdentityService.stampKey`. */
  readonly key: Uint8Array;
  /** Which cluster and which life of it, as of now; undefined: not known yet. */
  readonly life: () => { readonly uid: string; readonly incarnation: string } | undefined;
  readonly clock?: Clock;
}

const KEY_BYTES = 32;
const FORMAT = 1;
/** Format, version and time, big-endian. */
const FACTS_BYTES = 1 + 8 + 8;
const TAG_BYTES = 16;
const CONTEXT = 'hawser stamp 1';
const DECIMAL = /^[1-9]\d*$/;
const MAX_VERSION = 2n ** 64n - 1n;
const NO_STAMP = new Uint8Array(0);

/**
 * Makes and checks stamps: what an edge keeps as a proof of how new the state was that it was given. Only the hub can
 * make one, and none counts in another cluster or another incarnation. Layout: format 1 (one byte), resourceVersion
 * (8 bytes), time in ms (8 bytes), HMAC-SHA-256 over context, cluster, incarnation and these (first 16 bytes).
 * Source: docs/sync.md, "Guards"; RFC 2104 for the shortened HMAC.
 */
export class Stamps {
  readonly #options: StampsOptions;
  readonly #clock: Clock;

  /** @throws CloudCoreError `ERR_CLOUDCORE_STAMP_KEY` */
  constructor(options: StampsOptions) {
    if (options.key.length !== KEY_BYTES) {
      const message = `a key for stamps has ${KEY_BYTES} bytes, not ${options.key.length}`;
      throw new CloudCoreError('ERR_CLOUDCORE_STAMP_KEY', message);
    }
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * A stamp for a state. Empty, which is no stamp, while the cluster is not known, and for a version that is no
   * number: such ones cannot be compared.
   */
  issue(version: string): Uint8Array {
    const number = versionNumber(version);
    if (number === undefined) return NO_STAMP;
    const facts = Buffer.alloc(FACTS_BYTES);
    facts.writeUInt8(FORMAT);
    facts.writeBigUInt64BE(number, 1);
    facts.writeBigUInt64BE(BigInt(Math.max(0, Math.trunc(this.#clock.wallMs()))), 9);
    const tag = this.#tag(facts);
    return tag === undefined ? NO_STAMP : new Uint8Array(Buffer.concat([facts, tag]));
  }

  /** What a stamp says; undefined where it is not one of this cluster and incarnation. Takes any bytes. */
  read(stamp: Uint8Array): StampFacts | undefined {
    const bytes = Buffer.from(stamp.buffer, stamp.byteOffset, stamp.length);
    if (bytes.length !== FACTS_BYTES + TAG_BYTES || bytes[0] !== FORMAT) return undefined;
    const facts = bytes.subarray(0, FACTS_BYTES);
    const tag = this.#tag(facts);
    if (tag === undefined || !timingSafeEqual(tag, bytes.subarray(FACTS_BYTES))) return undefined;
    return { version: facts.readBigUInt64BE(1), issuedAtMs: Number(facts.readBigUInt64BE(9)) };
  }

  #tag(facts: Buffer): Buffer | undefined {
    const life = this.#options.life();
    if (life === undefined) return undefined;
    const mac = createHmac('sha256', this.#options.key);
    // As JSON: no two lives can be told by the same bytes.
    mac.update(JSON.stringify([CONTEXT, life.uid, life.incarnation])).update(facts);
    return mac.digest().subarray(0, TAG_BYTES);
  }
}

/** A resourceVersion as a number; undefined where it is none, or above 64 bits. */
export function versionNumber(version: string): bigint | undefined {
  if (!DECIMAL.test(version) || version.length > 20) return undefined;
  const number = BigInt(version);
  return number > MAX_VERSION ? undefined : number;
}
