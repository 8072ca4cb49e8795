import { jsonEqual } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { ensureRecord, number, record, records, strings, text, type Draft } from '../draft.ts';
import type {
  ResourceDefinition,
  ResourceStrategy,
  StrategyContext,
  UpdateStrategy,
} from '../registry/definition.ts';
import { AGE_COLUMN, column, NAME_COLUMN } from '../table/columns.ts';
import { age, humanDuration } from '../table/duration.ts';
import type { TablePrinter } from '../table/printer.ts';
import { builtIn, PART_VERBS } from './define.ts';
import { keep, statusSubresource } from './strategies.ts';

const PEM_HEADER = '-----BEGIN CERTIFICATE REQUEST-----';
const DECISIONS = ['Approved', 'Denied'];
const MIN_EXPIRATION_SECONDS = 600;

/** Source: kubernetes pkg/apis/certificates/validation. */
function requestErrors(draft: Draft): FieldError[] {
  const spec = record(draft['spec']);
  const errors: FieldError[] = [];
  const pem = Buffer.from(text(spec['request']), 'base64').toString('latin1');
  if (!pem.includes(PEM_HEADER)) {
    const detail = 'PEM block type must be CERTIFICATE REQUEST';
    errors.push(field.invalid('spec.request', text(spec['request']), detail));
  }
  if (strings(spec['usages']).length === 0) errors.push(field.required('spec.usages'));
  const signer = text(spec['signerName']);
  if (signer === '') errors.push(field.required('spec.signerName'));
  else if (!/^[^/]+\.[^/]+\/[^/]+/.test(signer)) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(field.invalid('spec.signerName', signer, detail));
  }
  const expiration = number(spec['expirationSeconds']);
  if (expiration !== undefined && expiration < MIN_EXPIRATION_SECONDS) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(field.invalid('spec.expirationSeconds', expiration, detail));
  }
  return errors;
}

const strategy: ResourceStrategy = {
  /** Who asks is what the server knows of the request, whatever the body says. */
  prepareForCreate(draft, { user }) {
    const spec = ensureRecord(draft, 'spec');
    for (const key of ['username', 'uid', 'groups', 'extra']) Reflect.deleteProperty(spec, key);
    spec['username'] = user.username;
    if (user.uid !== '') spec['uid'] = user.uid;
    if (user.groups.length > 0) spec['groups'] = [...user.groups];
    if (Object.keys(user.extra).length > 0) spec['extra'] = structuredClone(user.extra);
    draft['status'] = {};
  },
  validate: requestErrors,
  prepareForUpdate(draft, old) {
    keep(draft, old, 'spec');
    keep(draft, old, 'status');
  },
};

/** Fills in the times of conditions: when they were written, and when their status last changed. */
function stampConditions(draft: Draft, old: KubeObject, { now }: StrategyContext): void {
  const before = records(record(old['status'])['conditions']);
  for (const condition of records(record(draft['status'])['conditions'])) {
    if (text(condition['status']) === '') condition['status'] = 'True';
    const known = before.find(({ type }) => type === condition['type']);
    condition['lastUpdateTime'] ??= known?.['lastUpdateTime'] ?? now;
    if (condition['lastTransitionTime'] === null || condition['lastTransitionTime'] === undefined) {
      const same = known !== undefined && known['status'] === condition['status'];
      condition['lastTransitionTime'] = same ? known['lastTransitionTime'] : now;
    }
  }
}

function decisionErrors(draft: Draft): FieldError[] {
  const conditions = records(record(draft['status'])['conditions']);
  const types = conditions.map(({ type }) => text(type));
  const errors: FieldError[] = [];
  if (DECISIONS.every((type) => types.includes(type))) {
    const detail = 'Approved and Denied conditions are mutually exclusive';
    errors.push(field.invalid(`status.conditions[${types.lastIndexOf('Denied')}].type`, 'Denied', detail));
  }
  for (const [index, condition] of conditions.entries()) {
    if (DECISIONS.includes(text(condition['type'])) && condition['status'] !== 'True') {
      errors.push(field.notSupported(`status.conditions[${index}].status`, condition['status'], ['True']));
    }
  }
  return errors;
}

/** `approval` writes conditions and nothing else. */
const approvalStrategy: UpdateStrategy = {
  prepareForUpdate(draft, old, context) {
    const { conditions } = record(draft['status']);
    keep(draft, old, 'spec');
    const status = structuredClone(record(old['status']));
    if (conditions === undefined) delete status['conditions'];
    else status['conditions'] = conditions;
    draft['status'] = status;
    stampConditions(draft, old, context);
  },
  validateUpdate: decisionErrors,
};

/** `status` writes the certificate and other conditions; decisions stay. */
const statusStrategy: UpdateStrategy = {
  prepareForUpdate(draft, old, context) {
    keep(draft, old, 'spec');
    stampConditions(draft, old, context);
  },
  validateUpdate(draft, old) {
    const decided = (object: Readonly<Record<string, unknown>>): unknown =>
      records(record(object['status'])['conditions']).filter(({ type }) => DECISIONS.includes(text(type)));
    return jsonEqual(decided(draft), decided(old))
      ? decisionErrors(draft)
      : [
          field.forbidden(
            'status.conditions',
            'updates may not add or remove a condition of type "Approved" or "Denied"',
          ),
        ];
  },
};

function condition(object: KubeObject): string {
  const types = records(record(object['status'])['conditions']).map(({ type }) => text(type));
  const issued = text(record(object['status'])['certificate']) !== '';
  const decision = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  return [decision, ...(types.includes('Failed') ? ['Failed'] : []), ...(issued ? ['Issued'] : [])].join(',');
}

const printer: TablePrinter = {
  columns: [
    NAME_COLUMN,
    AGE_COLUMN,
    column('SignerName', 'string', 'The signer that is asked.'),
    column('Requestor', 'string', 'Who asks.'),
    column('RequestedDuration', 'string', 'How long the certificate is to be valid.'),
    column('Condition', 'string', 'What became of the request.'),
  ],
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const seconds = number(spec['expirationSeconds']);
    return [
      object.metadata.name,
      age(object.metadata.creationTimestamp, nowMs),
      text(spec['signerName']),
      text(spec['username']),
      seconds === undefined ? '<none>' : humanDuration(seconds * 1000),
      condition(object),
    ];
  },
};

/** Certificate signing requests. */
export function certificateResource(): ResourceDefinition {
  return builtIn({
    group: 'certificates.k8s.io',
    kind: 'CertificateSigningRequest',
    resource: 'certificatesigningrequests',
    shortNames: ['csr'],
    namespaced: false,
    strategy,
    fieldNames: ['spec.signerName'],
    fields: (object) => ({ 'spec.signerName': text(record(object['spec'])['signerName']) }),
    table: printer,
    subresources: [
      { name: 'approval', verbs: PART_VERBS, behaviour: { type: 'part', strategy: approvalStrategy } },
      statusSubresource(statusStrategy),
    ],
  });
}
