import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { ensureRecord, number, record, setDefault, text, type Draft, type MutableRecord } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { cronJobPrinter, jobPrinter } from '../table/workload-printers.ts';
import { builtIn } from './define.ts';
import { specStatus, statusSubresource } from './strategies.ts';
import { notNegative, podTemplateErrors, selectorImmutable, templateErrors } from './workload-validation.ts';
import { defaultTemplate } from './workloads.ts';

const GROUP = 'batch';
const RESTART_POLICIES = ['Never', 'OnFailure'];
const UID_LABELS = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const;
const NAME_LABELS = ['batch.kubernetes.io/job-name', 'job-name'] as const;

/** Source: kubernetes pkg/apis/batch/v1 SetDefaults_Job. */
function defaultJob(draft: Draft): void {
  const spec = ensureRecord(draft, 'spec');
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) {
    spec['completions'] = 1;
    spec['parallelism'] = 1;
  }
  spec['parallelism'] ??= 1;
  spec['backoffLimit'] ??= 6;
  setDefault(spec, 'completionMode', 'NonIndexed');
  spec['suspend'] ??= false;
  setDefault(spec, 'podReplacementPolicy', 'TerminatingOrFailed');
  defaultTemplate(spec);
}

/** A job selects its pods by its own uid. Source: registry/batch/job generateSelector. */
function selectByUid(draft: Draft): void {
  const spec = record(draft['spec']);
  if (spec['manualSelector'] === true) return;
  const { uid = '', name = '' } = draft.metadata;
  const labels = ensureRecord(ensureRecord(ensureRecord(spec, 'template'), 'metadata'), 'labels');
  for (const key of UID_LABELS) labels[key] = uid;
  for (const key of NAME_LABELS) labels[key] = name;
  const selector = ensureRecord(spec, 'selector');
  ensureRecord(selector, 'matchLabels')[UID_LABELS[0]] = uid;
}

function jobErrors(draft: Draft): FieldError[] {
  const spec = record(draft['spec']);
  return [
    ...notNegative(spec, ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit']),
    ...notNegative(spec, ['ttlSecondsAfterFinished']),
    ...templateErrors(spec, { restartPolicies: RESTART_POLICIES, kind: 'job' }),
  ];
}

function jobUpdateErrors(draft: Draft, old: KubeObject): FieldError[] {
  const spec = record(draft['spec']);
  const oldSpec = record(old['spec']);
  const errors = [...jobErrors(draft), ...selectorImmutable(draft, old)];
  if (spec['completionMode'] === 'NonIndexed' && spec['completions'] !== oldSpec['completions']) {
    errors.push(field.invalid('spec.completions', spec['completions'] ?? null, 'field is immutable'));
  }
  return errors;
}

function jobStrategy(): ResourceStrategy {
  const base = specStatus('Job', { generation: true, status: true });
  return {
    ...base,
    default: defaultJob,
    prepareForCreate(draft, context) {
      base.prepareForCreate(draft, context);
      selectByUid(draft);
    },
    validate: jobErrors,
    validateUpdate: jobUpdateErrors,
  };
}

function cronJobErrors(draft: Draft): FieldError[] {
  const spec = record(draft['spec']);
  const schedule = text(spec['schedule']);
  const errors: FieldError[] = [];
  if (schedule === '') errors.push(field.required('spec.schedule'));
  else if (!schedule.startsWith('@') && schedule.trim().split(/\s+/).length !== 5) {
    const found = schedule.trim().split(/\s+/).length;
    const detail = `expected exactly 5 fields, found ${found}: ${JSON.stringify(schedule.trim().split(/\s+/))}`;
    errors.push(field.invalid('spec.schedule', schedule, detail));
  }
  const policy = text(spec['concurrencyPolicy']);
  if (!['Allow', 'Forbid', 'Replace'].includes(policy)) {
    errors.push(field.notSupported('spec.concurrencyPolicy', policy, ['Allow', 'Forbid', 'Replace']));
  }
  errors.push(...notNegative(spec, ['startingDeadlineSeconds']));
  errors.push(...notNegative(spec, ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit']));
  const template = record(record(record(spec['jobTemplate'])['spec'])['template']);
  return [...errors, ...podTemplateErrors(template, RESTART_POLICIES, 'spec.jobTemplate.spec.template')];
}

const cronJobStrategy: ResourceStrategy = {
  ...specStatus('CronJob', { generation: true, status: true }),
  default(draft) {
    const spec = ensureRecord(draft, 'spec');
    setDefault(spec, 'concurrencyPolicy', 'Allow');
    spec['suspend'] ??= false;
    spec['successfulJobsHistoryLimit'] ??= 3;
    spec['failedJobsHistoryLimit'] ??= 1;
    const jobSpec: MutableRecord = ensureRecord(ensureRecord(spec, 'jobTemplate'), 'spec');
    defaultTemplate(jobSpec);
  },
  validate: cronJobErrors,
  validateUpdate: cronJobErrors,
};

/** Resources of batch/v1. */
export function batchResources(): ResourceDefinition[] {
  return [
    builtIn({
      group: GROUP,
      kind: 'CronJob',
      resource: 'cronjobs',
      shortNames: ['cj'],
      categories: ['all'],
      strategy: cronJobStrategy,
      table: cronJobPrinter,
      subresources: [statusSubresource()],
    }),
    builtIn({
      group: GROUP,
      kind: 'Job',
      resource: 'jobs',
      categories: ['all'],
      strategy: jobStrategy(),
      table: jobPrinter,
      fieldNames: ['status.successful'],
      fields: (object) => ({
        'status.successful': String(number(record(object['status'])['succeeded']) ?? 0),
      }),
      subresources: [statusSubresource()],
    }),
  ];
}
