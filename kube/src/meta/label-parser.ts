import { labelTokens, type LabelToken } from './label-lexer.ts';
import {
  checkLabelKey,
  labelRequirement,
  type LabelOperator,
  type LabelRequirement,
} from './label-requirement.ts';

const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

const OPERATORS: Partial<Record<LabelToken['type'], LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

/**
 * Parses the string form of a label selector, e.g. `app=web,tier in (a,b),!canary`. The grammar, and the messages,
 * are those of k8s.io/apimachinery labels.Parse.
 * @throws SyntaxError with the API's message.
 */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  return new Parser(labelTokens(text)).parse();
}

class Parser {
  readonly #tokens: readonly LabelToken[];
  #position = 0;

  constructor(tokens: readonly LabelToken[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    while (true) {
      const next = this.#peek();
      if (next.type === 'end') return requirements;
      if (next.type !== 'identifier' && next.type !== '!') {
        throw new SyntaxError(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirementInContext());
      const separator = this.#take();
      if (separator.type === 'end') return requirements;
      if (separator.type !== ',') {
        throw new SyntaxError(`found '${separator.text}', expected: ',' or 'end of string'`);
      }
      const following = this.#peek();
      if (following.type !== 'identifier' && following.type !== '!') {
        throw new SyntaxError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #requirementInContext(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`unable to parse requirement: ${error.message}`, { cause: error });
    }
  }

  #requirement(): LabelRequirement {
    let first = this.#take();
    const negated = first.type === '!';
    if (negated) first = this.#take();
    if (first.type !== 'identifier') throw new SyntaxError(`found '${first.text}', expected: identifier`);
    const key = first.text;
    checkLabelKey(key);
    if (negated) return labelRequirement(key, '!', []);
    const next = this.#peek();
    if (next.type === 'end' || next.type === ',') return labelRequirement(key, 'exists', []);
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#list() : [this.#exactValue()];
    return labelRequirement(key, operator, values);
  }

  #operator(): LabelOperator {
    const token = this.#tokens[this.#position];
    this.#position += 1;
    const operator = token === undefined ? undefined : OPERATORS[token.type];
    if (operator === undefined)
      throw new SyntaxError(`found '${token?.text ?? ''}', expected: ${BINARY_OPERATORS}`);
    return operator;
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.type === 'end' || next.type === ',') return '';
    const token = this.#take();
    if (token.type !== 'identifier') throw new SyntaxError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #list(): string[] {
    const open = this.#take();
    if (open.type !== '(') throw new SyntaxError(`found '${open.text}' expected: '('`);
    const next = this.#peek();
    if (next.type === ')') {
      this.#take();
      return [''];
    }
    if (next.type !== 'identifier' && next.type !== ',') {
      throw new SyntaxError(`found '${next.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#listItems();
    this.#take(); // #listItems stops only before the closing parenthesis
    return values;
  }

  /** An empty place between commas is the empty value. */
  #listItems(): string[] {
    const values = new Set<string>();
    while (true) {
      const token = this.#take();
      if (token.type === 'identifier') {
        values.add(token.text);
        const next = this.#peek();
        if (next.type === ')') return [...values];
        if (next.type !== ',') throw new SyntaxError(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.type === ',') {
        if (values.size === 0) values.add('');
        const next = this.#peek();
        if (next.type === ')') return [...values.add('')];
        if (next.type === ',') {
          this.#take();
          values.add('');
        }
      } else {
        throw new SyntaxError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  /** The next token, with `in` and `notin` as the names that they are everywhere but after a key. */
  #peek(): LabelToken {
    const token = this.#tokens[this.#position] ?? { type: 'end', text: '' };
    return token.type === 'in' || token.type === 'notin' ? { type: 'identifier', text: token.text } : token;
  }

  #take(): LabelToken {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }
}
