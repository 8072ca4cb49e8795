import type { FieldSelector, Pod } from '../pods/pod.ts';
import { quoteGo } from './go-quote.ts';

/** Addresses that fields of a pod's status show; the first of each is the one in the singular. */
export interface PodAddresses {
  readonly hostIps: readonly string[];
  /** Empty before there is a sandbox; the host's on the host's network. */
  readonly podIps: readonly string[];
}

/** A field of a pod or a container's resource cannot be shown. The message has a kubelet's words. */
export class FieldError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FieldError';
  }
}

/** Source: k8s.io/apimachinery util/validation, IsQualifiedName. */
const QUALIFIED_NAME =
  /^(?=.{1,317}$)(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
const SUBSCRIPTED = /^(.*)\['(.*)'\]$/s;
const NO_ADDRESSES: PodAddresses = { hostIps: [], podIps: [] };

/**
 * The text of a field of a pod, for an environment variable or a file of a downward API volume. A function of its
 * arguments. What a pod does not have (a label, an address) is the empty text.
 *
 * Fields: `metadata.name`, `.namespace`, `.uid`, `.labels`, `.annotations`, `.labels['key']`, `.annotations['key']`,
 * `spec.nodeName`, `spec.serviceAccountName`, `status.hostIP`, `.hostIPs`, `.podIP`, `.podIPs`.
 *
 * @param addresses those of `status.*`; files of volumes cannot show them: leave it out there
 * @throws FieldError the field is none of these, or not of `v1`
 * Source: kubernetes pkg/fieldpath, pkg/apis/core/pods ConvertDownwardAPIFieldLabel, kubelet podFieldSelectorRuntimeValue.
 */
export function podField(
  pod: Pod,
  { fieldPath, apiVersion = 'v1' }: FieldSelector,
  addresses: PodAddresses = NO_ADDRESSES,
): string {
  if (apiVersion !== 'v1' && apiVersion !== '')
    throw new FieldError(`unsupported pod version: ${apiVersion}`);
  const subscripted = SUBSCRIPTED.exec(fieldPath);
  if (subscripted !== null) return oneOf(pod, fieldPath, subscripted[1] ?? '', subscripted[2] ?? '');
  const { metadata, spec } = pod;
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return lines(metadata.labels);
    case 'metadata.annotations':
      return lines(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return addresses.hostIps[0] ?? '';
    case 'status.hostIPs':
      return addresses.hostIps.join(',');
    case 'status.podIP':
      return addresses.podIps[0] ?? '';
    case 'status.podIPs':
      return addresses.podIps.join(',');
    default:
      throw new FieldError(`field label not supported: ${fieldPath}`);
  }
}

/** One label or annotation. */
function oneOf({ metadata }: Pod, fieldPath: string, path: string, key: string): string {
  if (path !== 'metadata.labels' && path !== 'metadata.annotations') {
    throw new FieldError(`field label does not support subscript: ${fieldPath}`);
  }
  // Names of annotations may have capitals in their domain.
  const isAnnotation = path === 'metadata.annotations';
  if (!QUALIFIED_NAME.test(isAnnotation ? key.toLowerCase() : key)) {
    throw new FieldError(`invalid key subscript in ${fieldPath}`);
  }
  const values = (isAnnotation ? metadata.annotations : metadata.labels) ?? {};
  return Object.hasOwn(values, key) ? (values[key] ?? '') : '';
}

/** `key="value"`, one a line, sorted; no line break at the end. Source: kubernetes pkg/fieldpath FormatMap. */
function lines(values: Readonly<Record<string, string>> = {}): string {
  return Object.keys(values)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((key) => `${key}=${quoteGo(values[key] ?? '')}`)
    .join('\n');
}
