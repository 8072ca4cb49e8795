import { LabelSelector, type LabelSelectorObject } from '../../meta/label-selector.ts';
import type { KubeObject } from '../../meta/object.ts';
import { StatusError } from '../../status/status.ts';
import { number, record, records, text } from '../draft.ts';
import {
  DAEMON_SET_COLUMNS,
  DEPLOYMENT_COLUMNS,
  JOB_COLUMNS,
  REPLICA_SET_COLUMNS,
  STATEFUL_SET_COLUMNS,
} from './built-in-columns.ts';
import { AGE_COLUMN, column, NAME_COLUMN } from './columns.ts';
import { age, humanDuration } from './duration.ts';
import type { TablePrinter } from './printer.ts';

function count(value: unknown): number {
  return number(value) ?? 0;
}

function containers(template: unknown): [names: string, images: string] {
  const list = records(record(record(template)['spec'])['containers']);
  return [list.map(({ name }) => text(name)).join(','), list.map(({ image }) => text(image)).join(',')];
}

/** A selector in its string form; `<none>` if it selects everything. */
export function selectorText(selector: unknown): string {
  try {
    const object = selector as LabelSelectorObject | null | undefined; // decoded as LabelSelector
    const labels = LabelSelector.fromObject(object ?? undefined);
    return labels.toString() || '<none>';
  } catch (error) {
    if (error instanceof StatusError) return '<error>';
    throw error;
  }
}

function created(object: KubeObject, nowMs: number): string {
  return age(object.metadata.creationTimestamp, nowMs);
}

/** Deployments. */
export const deploymentPrinter: TablePrinter = {
  columns: DEPLOYMENT_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const status = record(object['status']);
    return [
      object.metadata.name,
      `${count(status['readyReplicas'])}/${count(spec['replicas'])}`,
      count(status['updatedReplicas']),
      count(status['availableReplicas']),
      created(object, nowMs),
      ...containers(spec['template']),
      selectorText(spec['selector']),
    ];
  },
};

/** ReplicaSets. */
export const replicaSetPrinter: TablePrinter = {
  columns: REPLICA_SET_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const status = record(object['status']);
    return [
      object.metadata.name,
      count(spec['replicas']),
      count(status['replicas']),
      count(status['readyReplicas']),
      created(object, nowMs),
      ...containers(spec['template']),
      selectorText(spec['selector']),
    ];
  },
};

/** DaemonSets. */
export const daemonSetPrinter: TablePrinter = {
  columns: DAEMON_SET_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const status = record(object['status']);
    const nodeSelector = record(record(record(spec['template'])['spec'])['nodeSelector']);
    const pairs = Object.entries(nodeSelector).map(([key, value]) => `${key}=${text(value)}`);
    return [
      object.metadata.name,
      count(status['desiredNumberScheduled']),
      count(status['currentNumberScheduled']),
      count(status['numberReady']),
      count(status['updatedNumberScheduled']),
      count(status['numberAvailable']),
      pairs.sort().join(',') || '<none>',
      created(object, nowMs),
      ...containers(spec['template']),
      selectorText(spec['selector']),
    ];
  },
};

/** StatefulSets. */
export const statefulSetPrinter: TablePrinter = {
  columns: STATEFUL_SET_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const ready = count(record(object['status'])['readyReplicas']);
    return [
      object.metadata.name,
      `${ready}/${count(spec['replicas'])}`,
      created(object, nowMs),
      ...containers(spec['template']),
    ];
  },
};

function jobState(object: KubeObject): string {
  const conditions = records(record(object['status'])['conditions']);
  const holds = (type: string): boolean =>
    conditions.some((condition) => condition['type'] === type && condition['status'] === 'True');
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  if (holds('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function jobDuration(status: Record<string, unknown>, nowMs: number): string {
  const startMs = Date.parse(text(status['startTime']));
  if (Number.isNaN(startMs)) return '';
  const endMs = Date.parse(text(status['completionTime']));
  return humanDuration((Number.isNaN(endMs) ? nowMs : endMs) - startMs);
}

/** Jobs. */
export const jobPrinter: TablePrinter = {
  columns: JOB_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const status = record(object['status']);
    const completions = number(spec['completions']);
    const parallelism = count(spec['parallelism']);
    const wanted = completions ?? (parallelism > 1 ? `1 of ${parallelism}` : 1);
    return [
      object.metadata.name,
      jobState(object),
      `${count(status['succeeded'])}/${wanted}`,
      jobDuration(status, nowMs),
      created(object, nowMs),
      ...containers(spec['template']),
      selectorText(spec['selector']),
    ];
  },
};

/** CronJobs. */
export const cronJobPrinter: TablePrinter = {
  columns: [
    NAME_COLUMN,
    column('Schedule', 'string', 'The schedule in Cron format.'),
    column('Timezone', 'string', 'The time zone of the schedule.'),
    column('Suspend', 'boolean', 'Whether further runs are suspended.'),
    column('Active', 'integer', 'Jobs that run.'),
    column('Last Schedule', 'string', 'When a job was last started.'),
    AGE_COLUMN,
    column('Containers', 'string', 'Names of each container in the template.', 1),
    column('Images', 'string', 'Images referenced by each container in the template.', 1),
    column('Selector', 'string', 'The selector of the template.', 1),
  ],
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const status = record(object['status']);
    const jobSpec = record(record(spec['jobTemplate'])['spec']);
    const last = status['lastScheduleTime'];
    return [
      object.metadata.name,
      text(spec['schedule']),
      text(spec['timeZone']) || '<none>',
      spec['suspend'] === true ? 'True' : 'False',
      records(status['active']).length,
      last === undefined ? '<none>' : age(last, nowMs),
      created(object, nowMs),
      ...containers(jobSpec['template']),
      selectorText(jobSpec['selector']),
    ];
  },
};
