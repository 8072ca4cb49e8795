import { Buffer } from 'node:buffer';
import { constants, createInflate } from 'node:zlib';

/** Words with their lengths, and text after them. Source: SPDY Protocol, draft 3.1, section 2.6.10.1. */
const WORDS =
  'options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-rang' +
  'es|age|allow|authorization|cache-control|connection|content-base|content-encoding|content-language|c' +
  'ontent-length|content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|' +
  'host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|ma' +
  'x-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer' +
  '|transfer-encoding|upgrade|user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|ver' +
  'sion|HTTP/1.1|url|public|set-cookie|keep-alive|origin';
const TEXT =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Au' +
  'thoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidd' +
  'en404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr Ma' +
  'y Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,imag' +
  'e/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicpri' +
  'vatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';
/** What headers of a stream may be, unpacked. */
const MAX_BYTES = 16 * 1024;

/** What both ends of a connection begin to unpack headers with. */
export const SPDY_DICTIONARY = Buffer.concat([
  ...WORDS.split('|').map((word) => Buffer.concat([uint32(word.length), Buffer.from(word)])),
  Buffer.from(TEXT),
]);

/** Unpacks the blocks of headers of one connection, which are one zlib stream: in their order. */
export class HeaderReader {
  readonly #inflate = createInflate({
    ...{ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH },
    chunkSize: MAX_BYTES,
  });

  constructor() {
    this.#inflate.on('error', () => {}); // whoever reads is told
  }

  /** Names, in lower case, and values. @throws Error it is damaged, or too long */
  async read(block: Buffer): Promise<ReadonlyMap<string, string>> {
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once('error', reject); // what is damaged is never called back about
      this.#inflate.write(block, (error) => {
        this.#inflate.off('error', reject);
        if (error) reject(error);
        else resolve();
      });
    });
    const plain = this.#inflate.read() as Buffer | null; // as much as there is
    if (plain === null || plain.length >= MAX_BYTES)
      throw new RangeError('the headers of a stream are too long');
    return readPairs(plain);
  }

  close(): void {
    this.#inflate.destroy();
  }
}

function readPairs(plain: Buffer): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  let at = 4;
  const next = (): string => {
    const length = plain.readUInt32BE(at);
    const from = at + 4;
    at = from + length;
    if (at > plain.length) throw new RangeError('the headers of a stream are cut');
    return plain.toString('utf8', from, at);
  };
  for (let left = plain.readUInt32BE(0); left > 0; left -= 1) pairs.set(next().toLowerCase(), next());
  return pairs;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
