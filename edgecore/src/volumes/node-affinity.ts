/** Source: core/v1 NodeSelectorRequirement. */
export interface NodeRequirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

/** Source: core/v1 NodeSelectorTerm. */
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeRequirement[];
  readonly matchFields?: readonly NodeRequirement[];
}

/**
 * Whether a node is one of those that a selector names: one of its terms must match, with all that it says. A term
 * that says nothing matches none.
 * Source: k8s.io/component-helpers scheduling/corev1/nodeaffinity.
 */
export function matchesNode(
  terms: readonly NodeSelectorTerm[],
  node: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchExpressions.every((requirement) => holds(requirement, valueOf(node.labels, requirement.key))) &&
      matchFields.every((requirement) =>
        holds(requirement, requirement.key === 'metadata.name' ? node.name : undefined),
      )
    );
  });
}

function valueOf(labels: Readonly<Record<string, string>>, key = ''): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function holds({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compares(value, values[0], (a, b) => a > b);
    case 'Lt':
      return compares(value, values[0], (a, b) => a < b);
    default:
      return false;
  }
}

/** Both must be whole numbers. */
function compares(
  value: string | undefined,
  bound: string | undefined,
  test: (a: bigint, b: bigint) => boolean,
): boolean {
  const whole = /^[+-]?\d+$/;
  if (value === undefined || bound === undefined || !whole.test(value) || !whole.test(bound)) return false;
  return test(BigInt(value.replace(/^\+/, '')), BigInt(bound.replace(/^\+/, '')));
}
