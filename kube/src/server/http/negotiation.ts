import { failure, notAcceptable } from '../../status/status-errors.ts';
import type { StatusError } from '../../status/status.ts';
import { isTrue } from './request-info.ts';

/** How an answer is to look. */
export interface Representation {
  readonly mediaType: 'application/json' | 'application/yaml';
  /** `Object`: as it is. */
  readonly form: 'Object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io for the forms that are not `Object`. */
  readonly formVersion: 'v1' | 'v1beta1';
  readonly pretty: boolean;
}

/** One range of an Accept header. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const AVAILABLE = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const FORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);
const MAX_RANGES = 32;

/** The ranges of an Accept header, best first: by q, then in their order. Ranges with q=0 are left out. */
export function acceptRanges(header: string | undefined): MediaRange[] {
  const ranges = (header ?? '')
    .split(',', MAX_RANGES)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(parseRange);
  return ranges
    .map((range, index) => ({ range, index, q: quality(range) }))
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || a.index - b.index)
    .map(({ range }) => range);
}

function parseRange(text: string): MediaRange {
  const [type = '', ...pairs] = text.split(';').map((part) => part.trim());
  const parameters: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at > 0) parameters[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return { type: type.toLowerCase(), parameters };
}

function quality({ parameters }: MediaRange): number {
  const q = Number(parameters['q'] ?? 1);
  return Number.isNaN(q) ? 1 : q;
}

/**
 * Chooses the representation of an answer. Protobuf is never produced: who asks for it with JSON as an alternative,
 * as client-go and kubectl do, gets JSON.
 * @throws StatusError NotAcceptable.
 */
export function negotiate(
  accept: string | undefined,
  request: { pretty: string | null; userAgent: string | undefined },
): Representation {
  const pretty = request.pretty === null ? isBrowserLike(request.userAgent) : isTrue(request.pretty);
  const ranges = acceptRanges(accept);
  if (ranges.length === 0) {
    return { mediaType: 'application/json', form: 'Object', formVersion: 'v1', pretty };
  }
  let sawMediaType = false;
  for (const { type, parameters } of ranges) {
    const mediaType = mediaTypeOf(type);
    if (mediaType === undefined) continue;
    sawMediaType = true;
    const { as, g, v } = parameters;
    if (as === undefined) return { mediaType, form: 'Object', formVersion: 'v1', pretty };
    if (!FORMS.has(as) || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    return { mediaType, form: as as Representation['form'], formVersion: v, pretty };
  }
  throw sawMediaType ? formNotAcceptable() : notAcceptable(AVAILABLE);
}

function mediaTypeOf(type: string): Representation['mediaType'] | undefined {
  switch (type) {
    case 'application/json':
    case '*/*':
    case 'application/*':
      return 'application/json';
    case 'application/yaml':
      return 'application/yaml';
    default:
      return undefined;
  }
}

/** 406 where the media type is known and its parameters are not. */
export function formNotAcceptable(): StatusError {
  return failure(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${AVAILABLE.join(', ')}`,
  );
}

/** 406 for a list form of one object. */
export function notAList(form: string, kind: string): StatusError {
  return failure(
    406,
    'NotAcceptable',
    `you requested ${form}, but the requested object is not a list (*core.${kind})`,
  );
}

/** People get indented answers. Source: k8s.io/apiserver handlers/negotiation isPrettyPrint. */
function isBrowserLike(userAgent = ''): boolean {
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
