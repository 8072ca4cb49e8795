import type { JsonObject } from '../meta/json.ts';
import { field, NO_FIELD, type FieldError, type FieldErrorType } from '../status/field-error.ts';
import { applyDefaults } from './defaulting.ts';
import { embeddedResourceErrors } from './embedded-resources.ts';
import { itemsOf, valuesOf, type JsonSchema } from './json-schema.ts';
import { listTypeErrors } from './list-types.ts';
import { prune, type Pruned } from './prune.ts';
import { makeValidator, type Validator } from './validate.ts';

/** Errors after which rules are not evaluated, since what they look at may not be there or be something else. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueRequired',
  'FieldValueTypeInvalid',
  'FieldValueTooLong',
  'FieldValueTooMany',
]);

/**
 * The structural schema of one version of a custom resource. The order of use on a write: {@link prune},
 * {@link applyDefaults}, {@link validate}, {@link listErrors}, {@link uncheckedRules}.
 */
export class StructuralSchema {
  readonly schema: JsonSchema;
  #validator: Validator | undefined;

  /** `schema` has passed `structuralErrors`. It is compiled when first needed. */
  constructor(schema: JsonSchema) {
    this.schema = schema;
  }

  /** Without unknown fields; see {@link prune}. */
  prune(object: JsonObject): Pruned {
    return prune(object, this.schema);
  }

  /** With defaults; see {@link applyDefaults}. */
  applyDefaults(object: JsonObject): JsonObject {
    return applyDefaults(object, this.schema);
  }

  /** What is wrong with a value. `fieldPrefix`: where it stands, if this schema is a part of the object's. */
  validate(value: unknown, fieldPrefix = ''): FieldError[] {
    this.#validator ??= makeValidator(this.schema);
    return this.#validator(value, fieldPrefix);
  }

  /** Items that stand twice in lists that are sets or maps, and embedded resources without a type. */
  listErrors(value: unknown, fieldPrefix = ''): FieldError[] {
    return [
      ...embeddedResourceErrors(value, this.schema, fieldPrefix),
      ...listTypeErrors(value, this.schema, fieldPrefix),
    ];
  }

  /**
   * The error that ends a list of others, where rules (`x-kubernetes-validations`) were not evaluated because of
   * them. The rules themselves (CEL) are not evaluated at all.
   */
  uncheckedRules(errors: readonly FieldError[]): FieldError[] {
    if (!hasRules(this.schema) || !errors.some(({ type }) => BLOCKING.has(type))) return [];
    const message =
      'some validation rules were not checked because the object was invalid; ' +
      'correct the existing errors to complete validation';
    return [field.invalid(NO_FIELD, null, message)];
  }

  /** The schema of a member, e.g. of `status`. */
  member(name: string): StructuralSchema | undefined {
    const { properties } = this.schema;
    const schema = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return schema === undefined ? undefined : new StructuralSchema(schema);
  }
}

function hasRules(schema: JsonSchema): boolean {
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true;
  const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
  return inner.some((part) => part !== undefined && hasRules(part));
}
