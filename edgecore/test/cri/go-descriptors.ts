import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { bool, int32, many, message, one, string, type Decoded } from '../../src/cri/wire.ts';

// Of google/protobuf/descriptor.proto what is compared.

const EnumValue = message('EnumValueDescriptorProto', { name: string(1), number: int32(2) });
const EnumType = message('EnumDescriptorProto', { name: string(1), values: many(2, EnumValue) });
const FieldType = message('FieldDescriptorProto', {
  name: string(1),
  number: int32(3),
  label: int32(4),
  type: int32(5),
  typeName: string(6),
});
const MessageOptions = message('MessageOptions', { mapEntry: bool(7) });
const Nested = message('DescriptorProto', {
  name: string(1),
  fields: many(2, FieldType),
  enums: many(4, EnumType),
  options: one(7, MessageOptions),
});
const MessageType = message('DescriptorProto', {
  name: string(1),
  fields: many(2, FieldType),
  nested: many(3, Nested),
  enums: many(4, EnumType),
});
const Method = message('MethodDescriptorProto', {
  name: string(1),
  input: string(2),
  output: string(3),
  serverStreaming: bool(6),
});
const Service = message('ServiceDescriptorProto', { name: string(1), methods: many(2, Method) });
const FileType = message('FileDescriptorProto', {
  name: string(1),
  package: string(2),
  messages: many(4, MessageType),
  enums: many(5, EnumType),
  services: many(6, Service),
});

export type FileDescriptor = Decoded<typeof FileType.fields>;
export type MessageDescriptor = Decoded<typeof MessageType.fields>;
export type MethodDescriptor = Decoded<typeof Method.fields>;

const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 0x08, 0x00]);
const GZIP_HEAD_BYTES = 10;
/** More than any file of definitions has, compressed. */
const LARGEST_BYTES = 512 * 1024;

/**
 * The definitions that a Go program with gogo/protobuf carries in it: each .proto file as a gzipped
 * FileDescriptorProto. They are found by how gzip begins; what is something else is passed over.
 */
export async function goDescriptors(program: string): Promise<readonly FileDescriptor[]> {
  const data = await readFile(program);
  const files: FileDescriptor[] = [];
  for (let at = data.indexOf(GZIP_HEAD); at !== -1; at = data.indexOf(GZIP_HEAD, at + 1)) {
    try {
      const plain = inflateRawSync(data.subarray(at + GZIP_HEAD_BYTES, at + LARGEST_BYTES));
      const file = FileType.decode(plain);
      if (file.name.endsWith('.proto')) files.push(file);
    } catch {
      // Not gzip, or gzip of something else: it has no .proto file for us either way.
    }
  }
  return files;
}
