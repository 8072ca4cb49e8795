import { EdgeCoreError } from '../errors.ts';
import type { HubAnswer } from './hub-request.ts';

/** What of a hub's words is shown. */
const MAX_TEXT = 1000;

/** A hub that says no, in its own words. */
export class HubRefusal extends EdgeCoreError {
  /** HTTP status. */
  readonly status: number;
  /** The hub's code (`ERR_CLOUDCORE_…`), or `''` where it gave none. */
  readonly hubCode: string;
  /** What the hub advises, or `''`. */
  readonly remedy: string;
  /** When it makes sense to ask again, milliseconds; undefined: not without a change. */
  readonly retryAfterMs: number | undefined;

  constructor(fields: {
    status: number;
    message: string;
    hubCode: string;
    remedy: string;
    retryAfterMs?: number;
  }) {
    const { status, message, hubCode, remedy, retryAfterMs } = fields;
    super('ERR_EDGECORE_REFUSED', `the hub refuses: ${message}${hubCode === '' ? '' : ` (${hubCode})`}`);
    this.status = status;
    this.hubCode = hubCode;
    this.remedy = remedy;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The JSON object in a hub's answer.
 * @throws HubRefusal for every status but 200; EdgeCoreError `ERR_EDGECORE_HUB_ANSWER` for what is no JSON object
 */
export function readHubAnswer(answer: HubAnswer): Readonly<Record<string, unknown>> {
  const body = parseObject(answer.text);
  if (answer.status !== 200) throw refusal(answer, body ?? {});
  if (body !== undefined) return body;
  throw new EdgeCoreError('ERR_EDGECORE_HUB_ANSWER', 'the hub answered something else than a JSON object');
}

/** A text in a hub's answer. @throws EdgeCoreError `ERR_EDGECORE_HUB_ANSWER` where it is missing */
export function answerText(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new EdgeCoreError('ERR_EDGECORE_HUB_ANSWER', `the answer of the hub has no ${name}`);
}

function refusal({ status, text }: HubAnswer, body: Readonly<Record<string, unknown>>): HubRefusal {
  const { code, message, remedy, retryAfterMs } = body;
  return new HubRefusal({
    status,
    hubCode: typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : '',
    message:
      typeof message === 'string'
        ? message.slice(0, MAX_TEXT)
        : `HTTP ${status} ${text.slice(0, 200)}`.trim(),
    remedy: typeof remedy === 'string' ? remedy.slice(0, MAX_TEXT) : '',
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 && { retryAfterMs }),
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // the callers say what that means
  }
}
