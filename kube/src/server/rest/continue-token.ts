import { isPlainObject } from '../../meta/json.ts';
import { badRequest } from '../../status/status-errors.ts';
import { parseJson } from '../body/json-scanner.ts';

/** Where a paged list goes on. */
export interface ContinueToken {
  /** The version that all pages show, or -1: whatever is there now. */
  readonly resourceVersion: number;
  /** The list goes on after this key: `name` or `namespace/name`. */
  readonly after: string;
}

const VERSION = 'meta.k8s.io/v1';

/** Writes a token. Source: k8s.io/apiserver storage EncodeContinue. */
export function encodeContinue({ resourceVersion, after }: ContinueToken): string {
  const json = JSON.stringify({ v: VERSION, rv: resourceVersion, start: `/${after}\0` });
  return Buffer.from(json).toString('base64url');
}

/**
 * Reads a token.
 * @throws StatusError BadRequest in the API server's words.
 */
export function decodeContinue(token: string): ContinueToken {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(token, 'base64url').toString('latin1'));
  } catch (error) {
    throw invalidToken(error instanceof SyntaxError ? error.message : 'not JSON');
  }
  if (!isPlainObject(value)) throw invalidToken('not an object');
  const { v, rv, start } = value;
  if (v !== VERSION) throw invalidToken('server does not recognize this encoded version');
  if (typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0 || rv < -1) {
    throw invalidToken('incorrect encoded start resourceVersion');
  }
  if (typeof start !== 'string' || start === '') throw invalidToken('encoded start key empty');
  const key = Buffer.from(start, 'latin1').toString('utf8').replace(/^\//, '').replace(/\0$/, '');
  if (key.split('/').some((part) => part === '..' || part === '.')) throw invalidToken('invalid start key');
  return { resourceVersion: rv, after: key };
}

function invalidToken(reason: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${reason}`);
}
