import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DamageError, reasonOf } from './damage.ts';
import { FORM } from './tables.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Below this, deflating saves no page. */
const DEFLATE_FROM_BYTES = 256;

/** A body as a row has it. */
export interface StoredBody {
  /** See `FORM`. */
  readonly form: number;
  readonly body: Uint8Array;
}

/**
 * Turns bytes into what stands on disk, and back: secrets are sealed (AES-256-GCM, a random nonce of 96 bits before,
 * the tag of 128 bits behind; where the row stands is authenticated with it), all else is deflated where that helps.
 * Secrets are not deflated: their length says no more than it has to.
 */
export class BodyCodec {
  /** Names the key without telling anything of it. */
  readonly keyId: Uint8Array;
  readonly #key: Uint8Array;

  /** @param material What the key file holds; the key is derived from it (HKDF-SHA-256, RFC 5869). */
  constructor(material: Uint8Array) {
    this.#key = derive(material, 'hawser edge store: key', KEY_BYTES);
    this.keyId = derive(material, 'hawser edge store: key id', KEY_ID_BYTES);
  }

  /** @param place Where the row stands: table, scope, key. A body that was moved elsewhere does not open. */
  wrap(bytes: Uint8Array, place: readonly string[], secret: boolean): StoredBody {
    if (secret) return { form: FORM.sealed, body: this.#seal(bytes, place) };
    if (bytes.length >= DEFLATE_FROM_BYTES) {
      const body = deflateRawSync(bytes);
      if (body.length < bytes.length) return { form: FORM.deflated, body };
    }
    return { form: FORM.plain, body: bytes };
  }

  /**
   * @param limitBytes What the result must not exceed.
   * @throws DamageError where the body is not what was wrapped here, or with another key.
   */
  unwrap({ form, body }: StoredBody, place: readonly string[], limitBytes: number): Uint8Array {
    try {
      if (form === FORM.sealed) return this.#open(body, place);
      if (form === FORM.deflated) return inflateRawSync(body, { maxOutputLength: Math.max(1, limitBytes) });
    } catch (error) {
      throw new DamageError(`${place.join(' ')} cannot be unpacked: ${reasonOf(error)}`, { cause: error });
    }
    if (form !== FORM.plain) throw new DamageError(`${place.join(' ')} has the unknown form ${form}`);
    return body;
  }

  #seal(bytes: Uint8Array, place: readonly string[]): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(placeBytes(place));
    return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  #open(body: Uint8Array, place: readonly string[]): Uint8Array {
    if (body.length < NONCE_BYTES + TAG_BYTES) throw new DamageError('too short');
    const nonce = body.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(placeBytes(place));
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    const bytes = decipher.update(body.subarray(NONCE_BYTES, body.length - TAG_BYTES));
    return Buffer.concat([bytes, decipher.final()]);
  }
}

function derive(material: Uint8Array, purpose: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', material, new Uint8Array(0), purpose, length));
}

/** Neither scopes nor keys hold a NUL. */
function placeBytes(place: readonly string[]): Buffer {
  return Buffer.from(place.join('\0'), 'utf8');
}
