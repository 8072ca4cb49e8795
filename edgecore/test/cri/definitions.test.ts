import assert from 'node:assert/strict';
import { realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as containerMessages from '../../src/cri/container-messages.ts';
import { CONTAINERD_EVENTS_PATH } from '../../src/cri/containerd-events.ts';
import * as containerdMessages from '../../src/cri/containerd-messages.ts';
import { CRI_EVENTS_PATH, CRI_METHODS } from '../../src/cri/cri-client.ts';
import * as imageMessages from '../../src/cri/image-messages.ts';
import * as linuxMessages from '../../src/cri/linux-messages.ts';
import * as runtimeMessages from '../../src/cri/runtime-messages.ts';
import * as sandboxMessages from '../../src/cri/sandbox-messages.ts';
import { Message, type Field, type Fields } from '../../src/cri/wire.ts';
import {
  goDescriptors,
  type FileDescriptor,
  type MessageDescriptor,
  type MethodDescriptor,
} from './go-descriptors.ts';

const CRI_MODULES = [containerMessages, imageMessages, linuxMessages, runtimeMessages, sandboxMessages];

/** Of definitions later than 1.6; where the installed containerd has them they are compared like all others. */
const NEWER = new Set([
  'RuntimeHandler',
  'RuntimeHandlerFeatures',
  'StatusResponse.runtimeHandlers',
  'Mount.recursiveReadOnly',
  'ImageSpec.userSpecifiedImage',
]);
/** 1.6 has PodSandboxMetadata with this number; it never sends the message. */
const CHANGED = new Map([['ContainerEventResponse.podSandboxStatus', 'pod_sandbox_metadata']]);

/** Source: google/protobuf/descriptor.proto, FieldDescriptorProto.Type. */
const TYPES: Readonly<Record<Field<unknown, unknown>['type'], number>> = {
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  message: 11,
  map: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
};
const REPEATED = 3;

function messagesOf(modules: readonly object[]): readonly Message<Fields>[] {
  return modules
    .flatMap((module) => Object.values(module) as unknown[])
    .filter((value): value is Message<Fields> => value instanceof Message);
}

async function installedContainerd(): Promise<string | undefined> {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = await realpath(join(dir, 'containerd')).catch(() => undefined);
    if (file !== undefined) return file;
  }
  return undefined;
}

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What is different between a field of ours and the definition. */
function differences(
  owner: MessageDescriptor,
  key: string,
  field: Field<unknown, unknown>,
  files: readonly FileDescriptor[],
): string[] {
  const found = owner.fields.find(({ number }) => number === field.number);
  const name = `${owner.name}.${key}`;
  if (found === undefined) return NEWER.has(name) ? [] : [`${name}: there is no field ${field.number}`];
  if (CHANGED.get(name) === found.name) return [];
  const wrong: string[] = [];
  if (camelCase(found.name) !== key) wrong.push(`${name}: it is named ${found.name}`);
  if (TYPES[field.type] !== found.type) wrong.push(`${name}: it has type ${found.type}`);
  const repeated = field.repeated || field.type === 'map';
  if (repeated !== (found.label === REPEATED)) wrong.push(`${name}: it has label ${found.label}`);
  const type = found.typeName.split('.').at(-1) ?? '';
  if (field.message !== undefined && field.message.name !== type)
    wrong.push(`${name}: it is a ${found.typeName}`);
  if (field.type === 'map') {
    const entry = owner.nested.find((nested) => nested.name === type);
    const types = entry?.fields.map((part) => part.type);
    if (entry?.options?.mapEntry !== true || String(types) !== '9,9') wrong.push(`${name}: no map of texts`);
  }
  if (field.names !== undefined) {
    const enums = [...owner.enums, ...files.flatMap((file) => file.enums)];
    const theirs = enums.find((candidate) => candidate.name === type)?.values ?? [];
    for (const [label, number] of Object.entries(field.names)) {
      const same = theirs.some((value) => value.name === label && value.number === number);
      if (!same) wrong.push(`${name}: ${found.typeName} has no ${label} = ${number}`);
    }
  }
  return wrong;
}

function compare(ours: readonly Message<Fields>[], files: readonly FileDescriptor[]): readonly string[] {
  const theirs = new Map(files.flatMap((file) => file.messages.map((type) => [type.name, type] as const)));
  return ours.flatMap((mine) => {
    const descriptor = theirs.get(mine.name);
    if (descriptor === undefined) return NEWER.has(mine.name) ? [] : [`there is no ${mine.name}`];
    return Object.entries(mine.fields).flatMap(([key, field]) => differences(descriptor, key, field, files));
  });
}

describe('the definitions in the installed containerd', function () {
  this.timeout(20_000);
  let files: readonly FileDescriptor[] = [];
  let cri: readonly FileDescriptor[] = [];

  before(async function () {
    const program = await installedContainerd();
    if (program === undefined) {
      console.log('    skipped: containerd is not installed');
      this.skip();
    }
    files = await goDescriptors(program);
    cri = files.filter((file) => file.package === 'runtime.v1');
    if (cri.length === 0) {
      console.log(`    skipped: ${program} has no definitions of CRI v1 that could be read`);
      this.skip();
    }
  });

  it('are those of CRI that we have', () => {
    const ours = messagesOf(CRI_MODULES);
    assert.ok(ours.length > 80, `${ours.length} messages`);
    assert.deepEqual(compare(ours, cri), []);
  });

  it('are those of its events that we have', () => {
    const ours = messagesOf([containerdMessages]);
    const packages = ['containerd.events', 'containerd.services.events.v1', 'google.protobuf'];
    const theirs = files.filter((file) => packages.includes(file.package));
    assert.deepEqual(compare(ours, theirs), []);
  });

  it('have the calls that we make, with these messages', () => {
    const methods = new Map<string, MethodDescriptor>(
      files.flatMap((file) =>
        file.services.flatMap((service) =>
          service.methods.map(
            (method) => [`/${file.package}.${service.name}/${method.name}`, method] as const,
          ),
        ),
      ),
    );
    for (const [name, [service, request, answer]] of Object.entries(CRI_METHODS)) {
      const method = methods.get(`${service}${name}`);
      assert.deepEqual(
        [method?.input, method?.output, method?.serverStreaming],
        [`.runtime.v1.${request.name}`, `.runtime.v1.${answer.name}`, false],
        name,
      );
    }
    for (const path of [CRI_EVENTS_PATH, CONTAINERD_EVENTS_PATH]) {
      assert.equal(methods.get(path)?.serverStreaming, true, path);
    }
  });

  it('would not fit if one number were another', () => {
    const { ContainerMetadata } = containerMessages;
    const { name, attempt } = ContainerMetadata.fields;
    const wrong = new Message('ContainerMetadata', { name: attempt, attempt: { ...name, number: 3 } });
    assert.deepEqual(compare([wrong], cri), [
      'ContainerMetadata.name: it is named attempt',
      'ContainerMetadata.attempt: there is no field 3',
    ]);
  });
});
