// docs/reference/cloudcore-config.md, from the zod schema of cloudcore/src/config/schema.ts.
import { z } from 'zod';
import { GENERATED, load, table } from './sources.js';

const code = (value) => `\`${value}\``;

/** What a value may be, in words. */
function typeOf(schema) {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(', or ');
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.type === 'array')
    return `list of ${schema.items.type === 'object' ? 'objects' : typeOf(schema.items)}`;
  if (schema.type === 'object') return 'map of names to whole numbers';
  if (schema.type === 'integer' || schema.type === 'number') return `${nameOf(schema)}${rangeOf(schema)}`;
  return { string: 'text', boolean: '`true` or `false`', null: '`null`' }[schema.type];
}

function nameOf({ type }) {
  return type === 'integer' ? 'whole number' : 'number';
}

function rangeOf({ minimum, exclusiveMinimum, maximum }) {
  const round = (value) => Number(value.toFixed(4));
  const isBound = (value) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  if (isBound(minimum) && isBound(maximum)) return `, ${round(minimum)} to ${round(maximum)}`;
  if (isBound(minimum)) return `, from ${round(minimum)}`;
  return isBound(exclusiveMinimum) ? `, above ${round(exclusiveMinimum)}` : '';
}

/** A default that is found out when the hub starts is told in the meaning. */
function defaultOf(schema, path) {
  if (path === 'replica' || schema.default === undefined) return '';
  return code(JSON.stringify(schema.default));
}

/** The rows of an object's options, those of objects inside it after its own. */
function rowsOf(schema, prefix = '') {
  return Object.entries(schema.properties).flatMap(([name, option]) => {
    const path = `${prefix}${name}`;
    const meaning = option.description ?? '';
    if (meaning === '') throw new Error(`the option ${path} of cloudcore has no description`);
    const row = [code(path), typeOf(option), defaultOf(option, path), meaning];
    if (option.properties !== undefined)
      return [[code(path), 'section', '', meaning], ...rowsOf(option, `${path}.`)];
    if (option.items?.properties !== undefined) return [row, ...rowsOf(option.items, `${path}[].`)];
    return [row];
  });
}

/** @returns {Promise<string>} the page */
export async function cloudcoreConfigPage() {
  const { configSchema } = await load('cloudcore/src/config/schema.ts');
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${GENERATED}

# Configuration of cloudcore

A YAML file, given with \`--config\`; \`hawser init\` writes one. Every option has a default; options that are not known
are refused, all problems at once with their paths. Units are in the names or in the meanings. How the parts work
together is in [the cloud core](../cloudcore.md).

${table(['option', 'value', 'default', 'meaning'], rowsOf(schema))}
`;
}
