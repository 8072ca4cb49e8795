// Writes src/server/types/generated/go-fields.ts: how Go declares the fields of the built-in kinds (protobuf number,
// pointer or value, omitempty), read from the
// type information (struct tags) in a Go program that contains k8s.io/api, e.g. kubectl 1.33 for linux/amd64:
//   node scripts/generate-go-fields.js /path/to/kubectl
// The numbers never change; a newer program only adds fields.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [binary] = process.argv.slice(2);
if (binary === undefined) throw new Error('usage: generate-go-fields.js PROGRAM');
const file = readFileSync(binary);

/** The section with the types: where it is in the file and in memory. Source: ELF-64, System V ABI chapter 4. */
function section(wanted) {
  const offset = Number(file.readBigUInt64LE(0x28));
  const size = file.readUInt16LE(0x3a);
  const count = file.readUInt16LE(0x3c);
  const names = file.readUInt16LE(0x3e);
  const header = (index) => offset + index * size;
  const strings = Number(file.readBigUInt64LE(header(names) + 0x18));
  for (let index = 0; index < count; index += 1) {
    const at = header(index);
    const start = strings + file.readUInt32LE(at);
    const name = file.toString('latin1', start, file.indexOf(0, start));
    if (name !== wanted) continue;
    return {
      address: Number(file.readBigUInt64LE(at + 0x10)),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      size: Number(file.readBigUInt64LE(at + 0x20)),
    };
  }
  throw new Error(`no section ${wanted}`);
}

const rodata = section('.rodata');
const inside = (address) => address >= rodata.address && address < rodata.address + rodata.size;
const at = (address) => address - rodata.address + rodata.offset;
const word = (address) => Number(file.readBigUInt64LE(at(address)));

/** A name and its tag. Source: Go internal/abi Name. */
function readName(address) {
  let position = at(address);
  const flags = file[position];
  const text = () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      position += 1;
      const byte = file[position];
      length |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    const start = position + 1;
    position += length;
    return file.toString('utf8', start, start + length);
  };
  const name = text();
  return { name, tag: (flags & 2) === 0 ? '' : text() };
}

const KINDS = {
  1: 'bool',
  5: 'int32',
  6: 'int64',
  3: 'int8',
  8: 'uint8',
  9: 'uint16',
  10: 'uint32',
  11: 'uint64',
};
Object.assign(KINDS, {
  2: 'int',
  14: 'float64',
  20: 'interface',
  21: 'map',
  22: 'pointer',
  23: 'slice',
  24: 'string',
  25: 'struct',
});

const types = new Map();
/** A type. Source: Go internal/abi Type, StructType, MapType, PtrType, SliceType, UncommonType. */
function readType(address) {
  const known = types.get(address);
  if (known !== undefined) return known;
  const kind = KINDS[file[at(address) + 23] & 31] ?? 'other';
  const flags = file[at(address) + 20];
  const { name: shown } = readName(rodata.address + file.readInt32LE(at(address) + 40));
  const type = { kind, name: (flags & 2) === 0 ? shown : shown.slice(1) };
  types.set(address, type);
  if (kind === 'pointer' || kind === 'slice') type.element = readType(word(address + 48));
  if (kind === 'map') type.element = readType(word(address + 56));
  if (kind === 'struct') {
    if ((flags & 1) !== 0) type.package = readName(rodata.address + file.readInt32LE(at(address) + 80)).name;
    const first = word(address + 56);
    const count = word(address + 64);
    type.fields = [];
    for (let index = 0; index < count; index += 1) {
      const field = first + index * 24;
      type.fields.push({ ...readName(word(field)), type: readType(word(field + 8)) });
    }
  }
  return type;
}

/** Every struct of the packages that matter. */
function structs() {
  const found = new Map();
  for (let address = rodata.address; address < rodata.address + rodata.size - 96; address += 8) {
    const position = at(address);
    if ((file[position + 23] & 31) !== 25 || (file[position + 20] & 1) === 0) continue;
    const first = word(address + 56);
    const count = word(address + 64);
    if (!inside(first) || count === 0 || count > 200 || count !== word(address + 72)) continue;
    const nameAt = rodata.address + file.readInt32LE(position + 40);
    const packageAt = rodata.address + file.readInt32LE(position + 80);
    if (!inside(nameAt) || !inside(packageAt)) continue;
    const { name: owner } = readName(packageAt);
    if (!/^k8s\.io\/(api|apimachinery|apiextensions-apiserver)\//.test(owner)) continue;
    const type = readType(address);
    found.set(`${owner}.${type.name.slice(type.name.lastIndexOf('.') + 1)}`, type);
  }
  return found;
}

const all = structs();
console.log(`${all.size} structs`);

const ROOTS = {
  'k8s.io/api/core/v1':
    'Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate ResourceQuota Secret Service ServiceAccount',
  'k8s.io/api/apps/v1': 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
  'k8s.io/api/batch/v1': 'CronJob Job',
  'k8s.io/api/coordination/v1': 'Lease',
  'k8s.io/api/discovery/v1': 'EndpointSlice',
  'k8s.io/api/events/v1': 'Event',
  'k8s.io/api/rbac/v1': 'ClusterRole ClusterRoleBinding Role RoleBinding',
  'k8s.io/api/certificates/v1': 'CertificateSigningRequest',
  'k8s.io/api/storage/v1': 'StorageClass CSINode CSIDriver VolumeAttachment',
  'k8s.io/api/scheduling/v1': 'PriorityClass',
  'k8s.io/api/networking/v1': 'Ingress IngressClass NetworkPolicy',
  'k8s.io/api/policy/v1': 'PodDisruptionBudget Eviction',
  'k8s.io/api/node/v1': 'RuntimeClass',
  'k8s.io/api/autoscaling/v1': 'Scale',
  'k8s.io/api/authentication/v1': 'TokenReview SelfSubjectReview TokenRequest',
  'k8s.io/api/authorization/v1':
    'SubjectAccessReview SelfSubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview',
  'k8s.io/apimachinery/pkg/apis/meta/v1': 'DeleteOptions',
};

const PREFIXED = new Set(['Event', 'EventSeries', 'EndpointPort', 'Subject', 'TokenRequest']);
const GROUP_OF = /k8s\.io\/api\/(\w+)\/v1/;

/** The name that the field tables use. */
function tableName(owner, name) {
  const group = GROUP_OF.exec(owner)?.[1];
  if (!PREFIXED.has(name) || group === undefined) return name;
  if (group === 'storage' && name === 'TokenRequest') return 'storage.TokenRequest';
  return `${group}.${name}`;
}

const SCALARS = {
  string: 's',
  bool: 'b',
  int32: 'i',
  int64: 'i',
  int: 'i',
  uint8: 'y',
  uint16: 'i',
  float64: 'd',
};
const SPECIAL = {
  Time: 't',
  MicroTime: 'u',
  Quantity: 'q',
  IntOrString: 'x',
  RawExtension: 'r',
  FieldsV1: 'f',
  Timestamp: 't',
};

const lines = new Map();
function shortType(type, queue) {
  if (type.kind === 'slice' && type.element.kind === 'uint8') return 'y';
  if (type.kind === 'struct') {
    const name = type.name.slice(type.name.lastIndexOf('.') + 1);
    if (SPECIAL[name] !== undefined) return SPECIAL[name];
    queue.push(type);
    return tableName(type.package, name);
  }
  // Named slices of strings (ExtraValue, FinalizerName and the like are fine as they are).
  if (type.kind === 'slice') return `[]${shortType(type.element, queue)}`;
  return SCALARS[type.kind] ?? 'o';
}

function describe(struct) {
  const name = tableName(struct.package, struct.name.slice(struct.name.lastIndexOf('.') + 1));
  if (lines.has(name)) return;
  lines.set(name, '');
  const queue = [];
  const parts = [];
  for (const field of struct.fields) {
    const proto = /protobuf:"([^"]*)"/.exec(field.tag)?.[1];
    const json = /json:"([^"]*)"/.exec(field.tag)?.[1];
    if (proto === undefined || json === undefined) {
      if (json?.includes('inline')) continue; // TypeMeta: in the envelope
      continue;
    }
    const number = Number(proto.split(',')[1]);
    const [jsonName, ...options] = json.split(',');
    let { type } = field;
    const pointer = type.kind === 'pointer';
    if (pointer) type = type.element;
    let container = '';
    if (type.kind === 'map') {
      container = '{}';
      type = type.element;
      if (type.kind === 'pointer') type = type.element;
    } else if (type.kind === 'slice' && type.element.kind !== 'uint8') {
      container = '[]';
      type = type.element;
      if (type.kind === 'pointer') type = type.element;
    }
    const inline = options.includes('inline');
    const omit = options.includes('omitempty') || options.includes('omitzero');
    const marks = `${pointer ? '*' : ''}${omit || inline ? '' : '!'}`;
    parts.push(`${number}:${inline ? '@' : jsonName}:${marks}${container}${shortType(type, queue)}`);
  }
  lines.set(name, `${name} ${parts.join(' ')}`);
  for (const inner of queue) describe(inner);
}

for (const [owner, kinds] of Object.entries(ROOTS)) {
  for (const kind of kinds.split(' ')) {
    const struct = all.get(`${owner}.${kind}`);
    if (struct === undefined) console.log(`not found: ${owner}.${kind}`);
    else describe(struct);
  }
}
const body = [...lines.values()].sort().join('\n');
writeFileSync(
  path.join(import.meta.dirname, '../src/server/types/generated/go-fields.ts'),
  `// Generated by scripts/generate-go-fields.js from the type information of a Go program with k8s.io/api. Do not edit.
//
// One message a line: its name, then \`number:field:type\`. The field \`@\` is inlined: its members are this message's.
// Types: as in fields.ts, and r raw JSON (RawExtension), f field sets; [] before it: list, {} before it: map; before
// those: * a pointer, ! written even when empty (no omitempty).

/** How Go declares the fields of the built-in kinds, in the form described above. */
export const GO_FIELDS = \`
${body}
\`;
`,
);
console.log(`${lines.size} messages`);
