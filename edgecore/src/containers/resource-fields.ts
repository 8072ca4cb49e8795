import type { Pod, PodContainer, Quantities, ResourceSelector } from '../pods/pod.ts';
import { FieldError } from './pod-fields.ts';

/** Resources whose limit, where a container has none, is what the node has for pods. */
const DEFAULTED: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];
const NANOS = 1_000_000_000n;
/** Powers of ten and of two that stand for more than any machine has. */
const MAX_EXPONENT = 40;

const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/;

/**
 * The text of a resource of a container, in units of the divisor, rounded up: for an environment variable or a file of
 * a downward API volume. A limit that is not set is what the node has for pods; a request that is not set is 0.
 *
 * @param container whose resource it is where the selector names none: that of the environment variable
 * @param allocatable the node's, as in its status
 * @throws FieldError no such container or resource, or no quantity
 * Source: kubernetes pkg/api/v1/resource ExtractContainerResourceValue, MergeContainerResourceLimits.
 */
export function resourceField(
  pod: Pod,
  selector: ResourceSelector,
  allocatable: Quantities,
  container?: PodContainer,
): string {
  const { resource, divisor = 1 } = selector;
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource);
  if (match === null) throw new FieldError(`Unsupported container resource : ${resource}`);
  const [, list, name = ''] = match;
  const { resources = {} } = containerOf(pod, selector, container);
  const amount =
    list === 'requests'
      ? nanos(resources.requests?.[name] ?? 0)
      : limitNanos(name, resources.limits?.[name], allocatable);
  const unit = name === 'cpu' ? NANOS / 1000n : NANOS;
  const parts = ceil(amount, unit);
  const by = ceil(nanos(divisor), unit);
  return String(ceil(parts, by === 0n ? ceil(NANOS, unit) : by));
}

/**
 * A quantity in whole units, rounded up; exact at any size.
 * @throws FieldError it is none
 */
export function wholeUnits(quantity: string | number): bigint {
  return ceil(nanos(quantity), NANOS);
}

function containerOf(pod: Pod, { containerName = '' }: ResourceSelector, own?: PodContainer): PodContainer {
  if (containerName === '' && own !== undefined) return own;
  const { containers, initContainers = [] } = pod.spec;
  const found = [...containers, ...initContainers].find(({ name }) => name === containerName);
  if (found === undefined) throw new FieldError(`container ${containerName} not found`);
  return found;
}

function limitNanos(name: string, limit: string | number | undefined, allocatable: Quantities): bigint {
  const own = nanos(limit ?? 0);
  if (own !== 0n || !DEFAULTED.includes(name)) return own;
  return nanos(allocatable[name] ?? 0);
}

/** A quantity in billionths; what is finer is rounded up. Source: k8s.io/apimachinery api/resource Quantity. */
function nanos(quantity: string | number): bigint {
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = QUANTITY.exec(String(quantity)) ?? [];
  const digits = whole + fraction;
  if (digits === '') throw new FieldError(`no quantity: ${quantity}`);
  const power = BINARY.indexOf(suffix);
  const tens = Number(exponent ?? DECIMAL[suffix] ?? 0) - fraction.length + 9;
  if (tens > MAX_EXPONENT) throw new FieldError(`no quantity that can be: ${quantity}`);
  const amount = BigInt(digits) << BigInt(10 * Math.max(power, 0));
  const scaled = tens >= 0 ? amount * 10n ** BigInt(tens) : ceil(amount, 10n ** BigInt(-tens));
  return sign === '-' ? -scaled : scaled;
}

/** Rounded up. */
function ceil(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
