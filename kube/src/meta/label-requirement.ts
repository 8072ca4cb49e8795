import {
  field,
  fieldChild,
  fieldErrorsMessage,
  fieldIndex,
  fieldKey,
  type FieldError,
} from '../status/field-error.ts';
import { labelValueProblems, qualifiedNameProblems } from './names.ts';

/** How a label is compared. Source: k8s.io/apimachinery selection.Operator. */
export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

/** One condition on one label. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without repetition; empty for `exists` and `!`. */
  readonly values: readonly string[];
}

const INTEGER = /^[+-]?\d+$/;

/**
 * Makes a requirement.
 * @throws SyntaxError with the API's message if key or values are not valid for labels.
 */
export function labelRequirement(
  key: string,
  operator: LabelOperator,
  values: readonly string[],
): LabelRequirement {
  const errors = [...keyErrors(key), ...countErrors(operator, values), ...valueErrors(key, values)];
  if (errors.length > 0) throw new SyntaxError(fieldErrorsMessage(errors));
  return { key, operator, values: [...new Set(values)].sort() };
}

/** @throws SyntaxError as the parser words it, before anything else of the requirement is read. */
export function checkLabelKey(key: string): void {
  const errors = keyErrors(key);
  if (errors.length > 0) throw new SyntaxError(fieldErrorsMessage(errors));
}

function keyErrors(key: string): FieldError[] {
  const problems = qualifiedNameProblems(key);
  // The parser has no path to speak of, and Go prints "no path" like this.
  return problems.length === 0 ? [] : [field.invalid('<nil>', key, problems.join('; '))];
}

function countErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  const wrong = (detail: string): FieldError[] => [field.invalid('values', values, detail)];
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length > 0 ? [] : wrong("for 'in', 'notin' operators, values set can't be empty");
    case '=':
    case '==':
    case '!=':
      return values.length === 1 ? [] : wrong('exact-match compatibility requires one single value');
    case 'exists':
    case '!':
      return values.length === 0 ? [] : wrong('values set must be empty for exists and does not exist');
    case 'gt':
    case 'lt':
      if (values.length !== 1) return wrong("for 'Gt', 'Lt' operators, exactly one value is required");
      return values.flatMap((value, index) =>
        INTEGER.test(value)
          ? []
          : [
              field.invalid(
                fieldIndex('values', index),
                value,
                "for 'Gt', 'Lt' operators, the value must be an integer",
              ),
            ],
      );
  }
}

function valueErrors(key: string, values: readonly string[]): FieldError[] {
  return values.flatMap((value, index) => {
    const problems = labelValueProblems(value);
    const path = fieldKey(fieldIndex(fieldChild('', 'values'), index), key);
    return problems.length === 0 ? [] : [field.invalid(path, value, problems.join('; '))];
  });
}

/** Whether the labels fulfil the requirement. An absent label fulfils `!=`, `notin` and `!`. */
export function requirementMatches(
  { key, operator, values }: LabelRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const [bound] = values;
      if (value === undefined || bound === undefined || !INTEGER.test(value)) return false;
      return operator === 'gt'
        ? BigInt(plain(value)) > BigInt(plain(bound))
        : BigInt(plain(value)) < BigInt(plain(bound));
    }
  }
}

/** BigInt() knows no leading plus. */
function plain(integer: string): string {
  return integer.startsWith('+') ? integer.slice(1) : integer;
}

const INFIX: Readonly<Record<LabelOperator, string>> = {
  in: ' in ',
  notin: ' notin ',
  '=': '=',
  '==': '==',
  '!=': '!=',
  gt: '>',
  lt: '<',
  exists: '',
  '!': '',
};

/** The requirement as it stands in a selector's string. */
export function formatRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === '!') return `!${key}`;
  const joined = values.join(',');
  const list = operator === 'in' || operator === 'notin' ? `(${joined})` : joined;
  return `${key}${INFIX[operator]}${list}`;
}
