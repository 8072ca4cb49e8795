/** One DER element. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** Where the next element begins. */
  readonly end: number;
}

const OBJECT_IDENTIFIER = 0x06;
/** 2.5.4.3 */
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);
/** 2.5.4.10 */
const ORGANIZATION = Buffer.from([0x55, 0x04, 0x0a]);

/** Who a certificate signing request asks for. */
export interface CsrSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/**
 * The subject of a PKCS#10 request in PEM, or undefined if it cannot be read.
 * Source: RFC 2986 section 4, X.690 section 8.
 */
export function csrSubject(pem: string): CsrSubject | undefined {
  const match = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem);
  if (match === null) return undefined;
  try {
    const request = read(Buffer.from(match[1] ?? '', 'base64'), 0);
    const info = read(request.content, 0);
    const version = read(info.content, 0);
    return readName(read(info.content, version.end));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readName(name: Element): CsrSubject {
  let commonName = '';
  const organizations: string[] = [];
  for (const set of children(name)) {
    for (const attribute of children(set)) {
      const [type, value] = children(attribute);
      if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) continue;
      if (type.content.equals(COMMON_NAME)) commonName = value.content.toString('utf8');
      else if (type.content.equals(ORGANIZATION)) organizations.push(value.content.toString('utf8'));
    }
  }
  return { commonName, organizations };
}

function children(element: Element): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < element.content.length;) {
    const child = read(element.content, offset);
    found.push(child);
    offset = child.end;
  }
  return found;
}

/** @throws RangeError if the bytes end too early. */
function read(bytes: Buffer, offset: number): Element {
  const tag = bytes.readUInt8(offset);
  const first = bytes.readUInt8(offset + 1);
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('a DER element is longer than what holds it');
  return { tag, content: bytes.subarray(start, end), end };
}
