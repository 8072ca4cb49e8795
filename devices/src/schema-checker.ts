import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import type { BoundDevice, BoundProperty } from './bound-device.ts';
import { isNestedAtMost } from './config-data.ts';
import { DeviceError } from './errors.ts';
import { JSON_DEPTH_MAX, PROBLEMS_MAX, SCHEMA_BYTES_MAX } from './limits.ts';
import type { JsonSchema, ProtocolSchemas } from './mapper-messages.ts';
import { below, fieldsOf } from './problem-list.ts';
import type { Problem } from './problem.ts';
import { boundedPattern } from './schema-pattern.ts';
import { schemaProblems } from './schema-problems.ts';

/** What the schemas of a protocol say of a device. */
export interface SchemaVerdict {
  /** With the schemas' defaults filled in; undefined: there are problems. */
  readonly device: BoundDevice | undefined;
  /** At most 20. Paths are those in the Device: `/spec/properties/2/visitors/configData/offset`. */
  readonly problems: readonly Problem[];
}

/**
 * Looks at `configData` of devices by the schemas of their protocol: JSON Schema 2020-12, without `format`, which is a
 * remark there. Takes about 10 ms and 2 MB for the first one in a process, when the library is loaded.
 */
export class SchemaChecker {
  readonly #protocol: ValidateFunction;
  readonly #visitor: ValidateFunction;

  private constructor(protocol: ValidateFunction, visitor: ValidateFunction) {
    this.#protocol = protocol;
    this.#visitor = visitor;
  }

  /**
   * @throws DeviceError `ERR_DEVICES_SCHEMA`: too large (256 KiB), nested too deeply, with keywords that JSON Schema does not
   * have, with references to other documents, or with a default where none is filled in
   */
  static async load(schemas: ProtocolSchemas): Promise<SchemaChecker> {
    return new SchemaChecker(
      await compile('protocol', schemas.protocol),
      await compile('visitor', schemas.visitor),
    );
  }

  /** What is wrong with the configuration of a device. The device that is given stays as it is. */
  check(device: BoundDevice): SchemaVerdict {
    try {
      return this.#check(device);
    } catch (error) {
      // A pattern that took too long (see `boundedPattern`), or a schema that goes in circles: of no use for the rest.
      if (!(error instanceof DeviceError || error instanceof RangeError)) throw error;
      const remedy = 'Correct the schema of the mapper, or write shorter texts.';
      const message = `configData cannot be checked: ${error.message}`;
      return { device: undefined, problems: [{ path: '/spec', message, remedy }] };
    }
  }

  #check(device: BoundDevice): SchemaVerdict {
    const problems: Problem[] = [];
    const config = structuredClone(device.config);
    if (!this.#protocol(config))
      problems.push(
        ...schemaProblems(this.#protocol.errors ?? [], '/spec/protocol/configData', this.#protocol.schema),
      );
    const properties = device.properties.map((property, index): BoundProperty => {
      const visitor = structuredClone(property.visitor);
      if (!this.#visitor(visitor)) {
        const path = property.inherited ? '' : `${below('/spec/properties', index)}/visitors/configData`;
        const found = schemaProblems(this.#visitor.errors ?? [], path, this.#visitor.schema);
        problems.push(...(property.inherited ? found.map((problem) => ofModel(property, problem)) : found));
      }
      return { ...property, visitor };
    });
    if (problems.length > 0) return { device: undefined, problems: problems.slice(0, PROBLEMS_MAX) };
    return { device: { ...device, config, properties }, problems };
  }
}

/** A problem of a property that only the model has: there is no path in the Device. */
function ofModel({ name }: BoundProperty, { path, message, remedy }: Problem): Problem {
  return {
    path: '/spec/deviceModelRef/name',
    message: `property "${name}" of the model: /visitors/configData${path} ${message}`,
    remedy: `In the model, or in the device under this property: ${remedy}`,
  };
}

async function compile(which: keyof ProtocolSchemas, schema: JsonSchema): Promise<ValidateFunction> {
  const refuse = (message: string, cause?: unknown): DeviceError =>
    new DeviceError('ERR_DEVICES_SCHEMA', `schema of ${which}: ${message}`, { cause });
  if (fieldsOf(schema) === undefined) throw refuse('must be an object');
  if (!isNestedAtMost(schema, JSON_DEPTH_MAX)) {
    throw refuse(`must be nested at most ${String(JSON_DEPTH_MAX)} deep`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > SCHEMA_BYTES_MAX) {
    throw refuse(`must be at most ${String(SCHEMA_BYTES_MAX)} bytes, is ${String(bytes)}`);
  }
  const elsewhere = foreignReference(schema, '');
  if (elsewhere !== undefined) throw refuse(elsewhere);
  try {
    return await compiled(schema);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}

/** Knows what a schema is. Making it costs more than everything else, so that there is one. */
let judge: Ajv2020 | undefined;

async function compiled(schema: JsonSchema): Promise<ValidateFunction> {
  // By its default, which it has as well when it is bundled.
  const { default: ajv } = await import('ajv/dist/2020.js');
  judge ??= new ajv.Ajv2020({ logger: false, validateFormats: false, strict: false });
  if (judge.validateSchema(schema) !== true) throw new TypeError(judge.errorsText(judge.errors));
  // One of its own for each schema: two may have the same $id, and what is dropped is freed as a whole.
  const compiler = new ajv.Ajv2020({
    meta: false,
    validateSchema: false,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    validateFormats: false,
    logger: false,
    code: { regExp: boundedPattern },
  });
  return compiler.compile(schema);
}

/** What refers to another document; undefined: nothing does. */
function foreignReference(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const at = below(path, key);
    if ((key === '$ref' || key === '$dynamicRef') && typeof inner === 'string' && !inner.startsWith('#'))
      return `${at} must refer to something in the schema itself, as #/$defs/name, is "${inner}"`;
    const found = foreignReference(inner, at);
    if (found !== undefined) return found;
  }
  return undefined;
}
