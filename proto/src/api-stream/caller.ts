/**
 * Name of the header by which an edge says for whom it makes a request, on streams of kind `api`. What a program itself
 * sends under this name never gets there.
 */
export const CALLER_HEADER = 'x-hawser-caller';

/** Longest value of {@link CALLER_HEADER} that is sent and taken, characters. */
export const MAX_CALLER_CHARACTERS = 8192;

/** Who makes a request, as the edge has seen it: the value of {@link CALLER_HEADER}, in JSON. */
export interface StreamCaller {
  /** `system:serviceaccount:<namespace>:<name>` for what a hub speaks for. */
  readonly username: string;
  /** Of the account; '': not known. */
  readonly uid: string;
  readonly groups: readonly string[];
  /** The pod that the caller's token is bound to, where it is; then all three are there. */
  readonly podNamespace?: string;
  readonly podName?: string;
  readonly podUid?: string;
}

/** What a header can hold: JSON in which everything beyond ASCII is escaped. */
const BEYOND_ASCII = /[^\x20-\x7e]/g;

/** The value of {@link CALLER_HEADER}. @throws TypeError where it is too long */
export function encodeCaller(caller: StreamCaller): string {
  const text = JSON.stringify(caller).replace(
    BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (text.length <= MAX_CALLER_CHARACTERS) return text;
  throw new TypeError(`a caller of ${text.length} characters`);
}

/** Reads the value of {@link CALLER_HEADER}; undefined where it is none. Nothing of it has been checked but its types. */
export function decodeCaller(text: string): StreamCaller | undefined {
  if (text.length > MAX_CALLER_CHARACTERS) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // not JSON: no caller
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { username, uid, groups, podNamespace, podName, podUid } = value as Record<string, unknown>;
  if (typeof username !== 'string' || typeof uid !== 'string' || !isStrings(groups)) return undefined;
  const pod = [podNamespace, podName, podUid];
  if (pod.every((part) => part === undefined)) return { username, uid, groups };
  if (!isStrings(pod)) return undefined;
  const [namespace = '', name = '', podsUid = ''] = pod;
  return { username, uid, groups, podNamespace: namespace, podName: name, podUid: podsUid };
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}
