import assert from 'node:assert/strict';
import {
  fieldErrorMessage,
  isPlainObject,
  StructuralSchema,
  structuralErrors,
  type FieldError,
  type JsonObject,
  type JsonSchema,
} from '../../src/index.ts';
import { recording } from '../recordings.ts';

interface Crd {
  readonly spec: {
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: JsonSchema } }[];
  };
}

function schemaOf(exchange: string): JsonSchema {
  const [version] = (recording('crd', exchange).request.body as Crd).spec.versions;
  assert.ok(version !== undefined);
  return version.schema.openAPIV3Schema;
}

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

function causesOf(exchange: string): Cause[] {
  const { body } = recording('crd', exchange).response;
  return (body as { details: { causes: Cause[] } }).details.causes;
}

/** The order of properties is random in the API server; what follows them is in order. */
function sorted(causes: readonly Cause[]): Cause[] {
  return [...causes].sort((left, right) =>
    left.field + left.message < right.field + right.message ? -1 : 1,
  );
}

function asCauses(errors: readonly FieldError[]): Cause[] {
  return errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
}

describe('structural schemas, against recordings', () => {
  const gadget = new StructuralSchema(schemaOf('crd-create'));

  it('find the gadget schema structural', () => {
    assert.deepEqual(structuralErrors(gadget.schema, 'spec.validation.openAPIV3Schema'), []);
  });

  it('say why a schema is not', () => {
    const errors = structuralErrors(schemaOf('crd-nonstructural'), 'spec.validation.openAPIV3Schema');
    assert.deepEqual(asCauses(errors), causesOf('crd-nonstructural'));
  });

  for (const name of ['cr-create-minimal', 'cr-create-prune', 'cr-int-or-string']) {
    it(`${name}: what is stored`, () => {
      const { request, response } = recording('crd', name);
      const { object, unknownFields } = gadget.prune(request.body as JsonObject);
      const stored = gadget.applyDefaults(object);
      assert.deepEqual(stored['spec'], (response.body as JsonObject)['spec']);
      const warnings = [response.headers['Warning'] ?? response.headers['warning'] ?? []].flat();
      assert.deepEqual(
        unknownFields.map((field) => `299 - "unknown field \\"${field}\\""`),
        warnings,
      );
      assert.deepEqual(gadget.validate(stored), []);
      assert.deepEqual(gadget.listErrors(stored), []);
    });
  }

  it('cr-strict-unknown: the unknown fields, in order', () => {
    const { request, response } = recording('crd', 'cr-strict-unknown');
    const { unknownFields } = gadget.prune(request.body as JsonObject);
    const listed = unknownFields.map((field) => `unknown field "${field}"`).join(', ');
    assert.ok(isPlainObject(response.body));
    assert.ok(String(response.body['message']).endsWith(`strict decoding error: ${listed}`));
  });

  for (const name of [
    'cr-invalid-many',
    'cr-invalid-types',
    'cr-missing-required',
    'cr-missing-spec',
    'cr-float-for-int',
  ]) {
    it(`${name}: the same errors in the same words`, () => {
      const { object } = gadget.prune(recording('crd', name).request.body as JsonObject);
      const stored = gadget.applyDefaults(object);
      const errors = [...gadget.validate(stored), ...gadget.listErrors(stored)];
      // That replicas are not negative is said once more by the scale subresource, which is not the schema's affair.
      const expected = causesOf(name).filter(({ field }) => field !== '.spec.replicas');
      assert.deepEqual(sorted(asCauses([...errors, ...gadget.uncheckedRules(errors)])), sorted(expected));
    });
  }

  it('cr-status-invalid: fields are named from the root, messages from the status', () => {
    const status = gadget.member('status');
    assert.ok(status !== undefined);
    const errors = status.validate({ phase: 5 }, 'status');
    assert.deepEqual(errors.map(fieldErrorMessage), [
      'status.phase: Invalid value: "integer": phase in body must be of type string: "integer"',
    ]);
    assert.deepEqual(asCauses(errors), causesOf('cr-status-invalid').slice(0, 1));
  });
});
