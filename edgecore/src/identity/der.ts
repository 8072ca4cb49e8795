/** Tags of DER. Source: ITU-T X.690, section 8. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Attribute types of names. Source: RFC 5280, appendix A.1. */
const ATTRIBUTES = { organization: [0x55, 0x04, 0x0a], commonName: [0x55, 0x04, 0x03] } as const;

/** How each kind of key signs. Source: RFC 8410, section 3; RFC 5758, section 3.2. */
export const SIGNATURES = {
  ed25519: { oid: [0x2b, 0x65, 0x70], hash: null },
  p256: { oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], hash: 'sha256' },
} as const;

const LINE = /.{1,64}/g;

/** One value: tag, length, content. */
export function der(tag: number, ...content: readonly (readonly number[] | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Uint8Array.from([tag, ...lengthOf(bytes.length)]), bytes]);
}

/** A tag of its context, `[number]`. */
export function contextTag(number: number, isConstructed: boolean): number {
  return 0x80 | (isConstructed ? 0x20 : 0) | number;
}

/** A name with one organization and one common name. Source: RFC 5280, section 4.1.2.4. */
export function distinguishedName(organization: string, commonName: string): Buffer {
  return der(
    DER_TAG.sequence,
    attribute(ATTRIBUTES.organization, organization),
    attribute(ATTRIBUTES.commonName, commonName),
  );
}

/** In the form of RFC 7468. */
export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(LINE) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----\n`].join('\n');
}

/** A relative distinguished name of one attribute. */
function attribute(type: readonly number[], value: string): Buffer {
  const text = der(DER_TAG.utf8String, Buffer.from(value, 'utf8'));
  return der(DER_TAG.set, der(DER_TAG.sequence, der(DER_TAG.oid, type), text));
}

/** The length in as few bytes as it can be. Source: X.690, section 10.1. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return [0x80 | digits.length, ...digits];
}
