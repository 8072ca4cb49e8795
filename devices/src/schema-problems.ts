import type { ErrorObject } from 'ajv/dist/2020.js';
import { PROBLEMS_MAX } from './limits.ts';
import { below, described, fieldsOf } from './problem-list.ts';
import type { Problem } from './problem.ts';
import { shown } from './value-text.ts';

const NAMES_SHOWN = 20;

/**
 * What a validator found, as problems: at most 20, each once.
 * @param root path of what was validated
 * @param schema what it was validated by, which describes members
 */
export function schemaProblems(
  errors: readonly ErrorObject[],
  root: string,
  schema: unknown,
): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const error of withoutOtherBranches(errors)) {
    const problem = problemOf(error, root, schema);
    problems.set(`${problem.path}\n${problem.message}`, problem);
    if (problems.size === PROBLEMS_MAX) break;
  }
  return [...problems.values()];
}

/**
 * Of `oneOf` and `anyOf` only the branch that was meant: the one whose constants fit, if it is one. What only
 * says that something inside has failed is left out.
 */
function withoutOtherBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let left = errors.filter(({ keyword }) => keyword !== 'if');
  for (const choice of errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf')) {
    const branches = new Map<string, ErrorObject[]>();
    for (const error of left) {
      const branch = branchOf(error, choice);
      if (branch === undefined) continue;
      const found = branches.get(branch);
      if (found === undefined) branches.set(branch, [error]);
      else found.push(error);
    }
    const meant = [...branches.values()].filter(
      (branch) => !branch.some((error) => isConstant(error) && isNear(error, choice)),
    );
    const outside = left.filter((error) => error !== choice && branchOf(error, choice) === undefined);
    const [only] = meant;
    left = [...outside, ...(meant.length === 1 && only ? only : undecided(choice, branches, outside))];
  }
  return mergedConstants(left);
}

/**
 * What to say where nobody can tell which branch was meant: the constants that tell them apart, where none of them
 * fits; nothing where something else is wrong at the same place, which has to be mended first.
 */
function undecided(
  choice: ErrorObject,
  branches: ReadonlyMap<string, readonly ErrorObject[]>,
  outside: readonly ErrorObject[],
): readonly ErrorObject[] {
  const constants = [...branches.values()].map((branch) =>
    branch.filter((error) => isConstant(error) && isNear(error, choice)),
  );
  if (constants.length > 0 && constants.every((found) => found.length > 0)) return constants.flat();
  return outside.some(({ instancePath }) => instancePath.startsWith(choice.instancePath)) ? [] : [choice];
}

/** Index of the branch of a choice that an error is from; undefined: from none. */
function branchOf({ schemaPath }: ErrorObject, choice: ErrorObject): string | undefined {
  const prefix = `${choice.schemaPath}/`;
  return schemaPath.startsWith(prefix) ? schemaPath.slice(prefix.length).split('/', 1)[0] : undefined;
}

function isConstant({ keyword }: ErrorObject): boolean {
  return keyword === 'const' || keyword === 'enum';
}

/** Whether an error is about a member of what a choice is about, and not about something deeper. */
function isNear({ instancePath }: ErrorObject, choice: ErrorObject): boolean {
  return instancePath.split('/').length <= choice.instancePath.split('/').length + 1;
}

/** Constants of several branches at one place are the values that it may have. */
function mergedConstants(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const merged = new Map<string, ErrorObject>();
  for (const error of errors) {
    if (!isConstant(error)) continue;
    const before = merged.get(error.instancePath);
    const allowedValues = [...new Set([...(before === undefined ? [] : allowed(before)), ...allowed(error)])];
    merged.set(error.instancePath, { ...error, keyword: 'enum', params: { allowedValues } });
  }
  return [...errors.filter((error) => !isConstant(error)), ...merged.values()];
}

function allowed({ keyword, params }: ErrorObject): readonly unknown[] {
  const { allowedValues, allowedValue } = params as { allowedValues?: unknown[]; allowedValue?: unknown };
  return keyword === 'const' ? [allowedValue] : (allowedValues ?? []);
}

function problemOf(error: ErrorObject, root: string, schema: unknown): Problem {
  const { keyword, data } = error;
  const params = error.params as Readonly<Record<string, unknown>>;
  const path = `${root}${error.instancePath}`;
  const isValue = `is ${described(data)}`;
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return missing(error, root, schema);
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownMember(error, root);
    case 'enum': {
      const choices = allowed(error)
        .map((choice) => shown(choice))
        .join(', ');
      const only = allowed(error).length === 1;
      const message = `must be ${only ? '' : 'one of '}${choices}, ${isValue}`;
      return { path, message, remedy: `Write ${only ? '' : 'one of '}${choices}.` };
    }
    case 'type': {
      const kind = kindOf(params['type']);
      return {
        path,
        message: `must be ${kind}, ${isValue}`,
        remedy: `Make it ${kind}${quotes(params['type'])}.`,
      };
    }
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum': {
      const message = `must be ${String(params['comparison'])} ${String(params['limit'])}, ${isValue}`;
      return { path, message, remedy: `Write a number ${rangeOf(error)}.` };
    }
    case 'pattern': {
      const message = `must match ${String(params['pattern'])}, ${isValue}`;
      return { path, message, remedy: remedyOf(error, 'Correct the text.') };
    }
    case 'minLength':
    case 'maxLength': {
      const message = `${error.message ?? 'has a wrong length'}, ${isValue}`;
      return { path, message, remedy: remedyOf(error, 'Correct the text.') };
    }
    case 'false schema':
      return { path, message: 'must not be there', remedy: 'Take it out.' };
    case 'oneOf':
    case 'anyOf': {
      const message = `must be of ${keyword === 'oneOf' ? 'exactly one' : 'one'} of the forms that the schema has`;
      return { path, message, remedy: remedyOf(error, 'See what the mapper of the protocol documents.') };
    }
    default:
      return {
        path,
        message: error.message ?? `fails ${keyword}`,
        remedy: remedyOf(error, 'See the mapper’s schema.'),
      };
  }
}

function missing(
  { instancePath, params, parentSchema }: ErrorObject,
  root: string,
  schema: unknown,
): Problem {
  const name = String((params as { missingProperty?: unknown }).missingProperty);
  // A branch that requires a member often does not describe it: the schema around it does.
  const found = [parentSchema, ...(instancePath === '' ? [schema] : [])]
    .map((each) => fieldsOf(fieldsOf(fieldsOf(each)?.['properties'])?.[name])?.['description'])
    .find((each) => typeof each === 'string');
  const remedy = found === undefined ? 'Write it.' : `Write it: ${found.replace(/\.$/, '')}.`;
  return { path: below(`${root}${instancePath}`, name), message: 'must be given', remedy };
}

function unknownMember({ instancePath, params, parentSchema }: ErrorObject, root: string): Problem {
  const found = params as { additionalProperty?: unknown; unevaluatedProperty?: unknown };
  const name = String(found.additionalProperty ?? found.unevaluatedProperty);
  const names = Object.keys(fieldsOf(parentSchema?.['properties']) ?? {});
  const meant = names.find((known) => known.toLowerCase() === name.toLowerCase());
  const remedy =
    meant !== undefined
      ? `Write ${meant}.`
      : names.length === 0
        ? 'Take it out.'
        : `Take it out, or write one of: ${names.slice(0, NAMES_SHOWN).join(', ')}.`;
  return { path: below(`${root}${instancePath}`, name), message: 'is not known', remedy };
}

const KINDS: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function kindOf(type: unknown): string {
  const types = Array.isArray(type) ? type : String(type).split(',');
  return types.map((name) => KINDS[String(name)] ?? String(name)).join(' or ');
}

function quotes(type: unknown): string {
  if (type === 'string') return ', in quotes';
  return type === 'integer' || type === 'number' || type === 'boolean' ? ', without quotes' : '';
}

/** `from 1 to 247`, as far as the schema says it. */
function rangeOf({ parentSchema }: ErrorObject): string {
  const bound = (inclusive: string, exclusive: string, words: readonly [string, string]): string => {
    if (typeof parentSchema?.[inclusive] === 'number')
      return `${words[0]} ${String(parentSchema[inclusive])}`;
    const value: unknown = parentSchema?.[exclusive];
    return typeof value === 'number' ? `${words[1]} ${String(value)}` : '';
  };
  const least = bound('minimum', 'exclusiveMinimum', ['from', 'above']);
  const most = bound('maximum', 'exclusiveMaximum', [least === '' ? 'up to' : 'to', 'below']);
  return [least, most].filter((part) => part !== '').join(' ');
}

/** What the schema says of a place, where it says anything. */
function remedyOf({ parentSchema }: ErrorObject, otherwise: string): string {
  const what: unknown = parentSchema?.['description'];
  return typeof what === 'string' ? `Write it as the mapper has it: ${what.replace(/\.$/, '')}.` : otherwise;
}
