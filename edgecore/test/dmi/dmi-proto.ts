import { readFileSync } from 'node:fs';
import path from 'node:path';
import protobuf from 'protobufjs';

const FILE = path.resolve(import.meta.dirname, '../../../test/fixtures/dmi-v1beta1.proto');

/** The interface as protobufjs reads it; nothing of it is ours. */
export const dmiRoot: protobuf.Root = protobuf.parse(readFileSync(FILE, 'utf8')).root;
for (const name of ['any', 'struct', 'wrappers']) {
  const file = `google/protobuf/${name}.proto`;
  const common = protobuf.common.get(file);
  if (common?.nested === undefined) throw new Error(`protobufjs has no ${file}`);
  dmiRoot.addJSON(common.nested);
}
dmiRoot.resolveAll();

/** A message as plain JSON: absent fields are left out, numbers of 64 bits are numbers, bytes base64. */
export type Plain = Record<string, unknown>;

export function encodePlain(type: string, value: Plain): Buffer {
  const found = dmiRoot.lookupType(type);
  return Buffer.from(found.encode(found.fromObject(value)).finish());
}

export function decodePlain(type: string, bytes: Uint8Array): Plain {
  const found = dmiRoot.lookupType(type);
  return found.toObject(found.decode(bytes), { longs: Number, bytes: String });
}

/** What is in a `google.protobuf.Any`. */
export function opened(any: unknown): { readonly type: string; readonly value: unknown } {
  const { type_url: url = '', typeUrl = url, value = '' } = any as Record<string, string>;
  const type = typeUrl.replace('type.googleapis.com/', '');
  const found = dmiRoot.lookupType(type);
  const plain = found.toObject(found.decode(Buffer.from(value, 'base64')), { longs: Number, defaults: true });
  return { type: type.replace('google.protobuf.', ''), value: plain['value'] ?? plain };
}
