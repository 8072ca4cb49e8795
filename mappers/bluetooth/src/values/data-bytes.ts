const HEX = /^(?:[0-9A-Fa-f]{2})+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes, or why a text is none. */
export type ReadBytes = { readonly bytes: Buffer } | { readonly problem: string; readonly remedy: string };

/**
 * The bytes that `dataWrite` has for a name: hexadecimal digits (`01`, `0x01ff`, `01 ff`), base64 as KubeEdge has it
 * (`AQ==`), or a list of numbers. A text that could be both, `0102`, is refused: it would be guesswork.
 */
export function readBytes(given: string | readonly number[]): ReadBytes {
  if (typeof given !== 'string') return { bytes: Buffer.from(given) };
  const marked = /^0x/i.test(given);
  const digits = (marked ? given.slice(2) : given).replaceAll(' ', '');
  const isHex = HEX.test(digits);
  const isBase64 = BASE64.test(given);
  if (marked && isHex) return { bytes: Buffer.from(digits, 'hex') };
  if (isHex && isBase64)
    return {
      problem: 'may be hexadecimal or base64',
      remedy: `Write 0x${given}, or a list of bytes: ${JSON.stringify([...Buffer.from(given, 'base64')])}.`,
    };
  if (isHex) return { bytes: Buffer.from(digits, 'hex') };
  if (isBase64 && given !== '') return { bytes: Buffer.from(given, 'base64') };
  return {
    problem: 'must be hexadecimal or base64',
    remedy: 'Write two digits for each byte, as 0x01ff, or a list of numbers, as [1, 255].',
  };
}
