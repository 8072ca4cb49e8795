import type { FieldMap } from '../../meta/field-selector.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { record, text, type Draft, type MutableRecord } from '../draft.ts';
import type { ObjectCodec, ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { decodeTyped } from '../registry/typed-codec.ts';
import { eventPrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';

const NEW_GROUP = 'events.k8s.io';
const TYPES = ['Normal', 'Warning'];
/** Bytes of `message` or `note`. */
const NOTE_LIMIT_BYTES = 1024;

/** Names of fields in core/v1 and in events.k8s.io/v1. */
const RENAMED: readonly (readonly [core: string, renamed: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const TO_NEW = new Map(RENAMED);
const TO_CORE = new Map(RENAMED.map(([core, renamed]) => [renamed, core]));
/** What core/v1 writes when it is empty and events.k8s.io/v1 leaves out. */
const OMITTED_IN_NEW = new Set(['reportingController', 'reportingInstance']);

/** events.k8s.io/v1 over objects stored as core/v1. Source: kubernetes pkg/apis/events/v1 conversion.go. */
const newCodec: ObjectCodec = {
  decode(value, unknown) {
    const decoded = decodeTyped('events.Event', 'Event', 'v1', value, unknown);
    const draft: Draft = { kind: 'Event', apiVersion: 'v1', metadata: decoded.metadata };
    for (const [key, member] of Object.entries(decoded)) draft[TO_CORE.get(key) ?? key] = member;
    draft['reportingComponent'] ??= '';
    draft['reportingInstance'] ??= '';
    return draft;
  },
  encode(object) {
    const shown: MutableRecord = { kind: 'Event', apiVersion: `${NEW_GROUP}/v1`, metadata: object.metadata };
    for (const [key, member] of Object.entries(object)) {
      if (key === 'kind' || key === 'apiVersion') continue;
      const name = TO_NEW.get(key) ?? key;
      if (member === '' && OMITTED_IN_NEW.has(name)) continue;
      shown[name] = member;
    }
    return shown as unknown as KubeObject; // kind, apiVersion and metadata were set above
  },
};

/** Source: kubernetes pkg/apis/core/validation events.go legacyValidateEvent. */
function coreErrors(draft: Draft): FieldError[] {
  const { namespace = '' } = draft.metadata;
  const involved = text(record(draft['involvedObject'])['namespace']);
  // Events about objects without a namespace are kept in the namespace "default".
  const expected = involved === '' ? 'default' : involved;
  if (namespace === expected || (involved === '' && namespace === 'kube-system')) return [];
  return [field.invalid('involvedObject.namespace', involved, 'does not match event.namespace')];
}

/** Source: ValidateEventCreate. */
function newErrors(draft: Draft): FieldError[] {
  const errors: FieldError[] = [];
  if (draft['eventTime'] === null || draft['eventTime'] === undefined)
    errors.push(field.required('eventTime'));
  const type = text(draft['type']);
  if (!TYPES.includes(type)) errors.push(field.invalid('type', '', `has invalid value: ${type}`));
  if (errors.length > 0) return errors;
  for (const [key, name] of [
    ['reportingComponent', 'reportingController'],
    ['reportingInstance', 'reportingInstance'],
    ['action', 'action'],
    ['reason', 'reason'],
  ] as const) {
    if (text(draft[key]) === '') errors.push(field.required(name));
  }
  if (Buffer.byteLength(text(draft['message'])) > NOTE_LIMIT_BYTES)
    errors.push(field.tooLong('note', NOTE_LIMIT_BYTES));
  return [...errors, ...coreErrors(draft)];
}

function strategy(errors: (draft: Draft) => FieldError[]): ResourceStrategy {
  return { allowCreateOnUpdate: true, validate: errors, validateUpdate: coreErrors };
}

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

function fieldsOf(prefix: string): { names: string[]; fields: (object: KubeObject) => FieldMap } {
  const own = ['reason', 'reportingComponent', 'type', 'source'];
  return {
    names: [...INVOLVED.map((name) => `${prefix}.${name}`), ...own],
    fields(object) {
      const involved = record(object['involvedObject']);
      return {
        ...Object.fromEntries(INVOLVED.map((name) => [`${prefix}.${name}`, text(involved[name])])),
        reason: text(object['reason']),
        reportingComponent: text(object['reportingComponent']),
        type: text(object['type']),
        source: text(record(object['source'])['component']) || text(object['reportingComponent']),
      };
    },
  };
}

/** Events in both of their forms. */
export function eventResources(): ResourceDefinition[] {
  const core = fieldsOf('involvedObject');
  const renamed = fieldsOf('regarding');
  const common = { kind: 'Event', resource: 'events', shortNames: ['ev'], table: eventPrinter } as const;
  const storage = { group: '', resource: 'events' };
  return [
    builtIn({
      ...common,
      struct: 'core.Event',
      strategy: strategy(coreErrors),
      fieldNames: core.names,
      fields: core.fields,
    }),
    builtIn({
      ...common,
      group: NEW_GROUP,
      struct: 'events.Event',
      storage,
      codec: newCodec,
      strategy: strategy(newErrors),
      fieldNames: renamed.names,
      fields: renamed.fields,
      table: { ...eventPrinter, cells: (object, nowMs) => eventPrinter.cells(asCore(object), nowMs) },
    }),
  ];
}

function asCore(object: KubeObject): KubeObject {
  const core: MutableRecord = {};
  for (const [key, member] of Object.entries(object)) core[TO_CORE.get(key) ?? key] = member;
  return core as unknown as KubeObject; // the same members under their other names
}
