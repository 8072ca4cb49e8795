import { badRequest } from '../status/status-errors.ts';

/** One condition on one field. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** An object's selectable fields, e.g. `{'metadata.name': 'a', 'spec.nodeName': ''}`; an absent one reads as `''`. */
export type FieldMap = Readonly<Record<string, string>>;

const OPERATOR = /!=|==|=/;

/** Selects objects by fields: all requirements must hold. Source: k8s.io/apimachinery fields. */
export class FieldSelector {
  /** Selects every object. */
  static readonly everything: FieldSelector = new FieldSelector([]);

  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  /**
   * Parses `fieldSelector` of a request, e.g. `metadata.name=a,spec.nodeName!=b`. In values `\\`, `\,` and `\=` stand
   * for the characters themselves. Whether a field exists is for the caller to say.
   * @throws StatusError BadRequest with the API server's message.
   */
  static parse(text: string): FieldSelector {
    const terms = splitTerms(text)
      .filter((term) => term !== '')
      .sort();
    return terms.length === 0
      ? FieldSelector.everything
      : new FieldSelector(terms.map((term) => parseTerm(term, text)));
  }

  /** Whether every object is selected. */
  get isEverything(): boolean {
    return this.requirements.length === 0;
  }

  /** Whether an object with these fields is selected. */
  matches(fields: FieldMap): boolean {
    return this.requirements.every(({ field, operator, value }) => {
      const actual = Object.hasOwn(fields, field) ? (fields[field] ?? '') : '';
      return (actual === value) === (operator === '=');
    });
  }

  /** The value that `field` must have, if the selector asks for exactly one. */
  requiredValue(field: string): string | undefined {
    return this.requirements.find((term) => term.field === field && term.operator === '=')?.value;
  }

  /** The canonical string; parsing it gives an equal selector. */
  toString(): string {
    return this.requirements
      .map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`)
      .join(',');
  }
}

/** Escapes a value for use in a field selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  let escaped = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (escaped) escaped = false;
    else if (char === '\\') escaped = true;
    else if (char === ',') {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string, selector: string): FieldRequirement {
  const found = OPERATOR.exec(term);
  if (found === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
  const [operator] = found;
  return {
    field: term.slice(0, found.index),
    operator: operator === '!=' ? '!=' : '=',
    value: unescapeFieldValue(term.slice(found.index + operator.length)),
  };
}

function unescapeFieldValue(text: string): string {
  let value = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '\\') {
      index += 1;
      const next = text.charAt(index);
      if (next === '' || !'\\,='.includes(next)) {
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      value += next;
    } else if (char === ',' || char === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      value += char;
    }
  }
  return value;
}
