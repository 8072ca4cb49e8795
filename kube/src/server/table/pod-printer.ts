import type { KubeObject } from '../../meta/object.ts';
import { number, record, records, text, type MutableRecord } from '../draft.ts';
import { POD_COLUMNS } from './built-in-columns.ts';
import { age, humanDuration } from './duration.ts';
import type { RowCondition, TablePrinter } from './printer.ts';

/** Rows of pods. Source: kubernetes pkg/printers/internalversion printPod. */
export const podPrinter: TablePrinter = {
  columns: POD_COLUMNS,
  cells: podCells,
  conditions: podConditions,
};

const SUCCEEDED: RowCondition = {
  type: 'Completed',
  status: 'True',
  reason: 'Succeeded',
  message: 'The pod has completed successfully.',
};
const FAILED: RowCondition = {
  type: 'Completed',
  status: 'True',
  reason: 'Failed',
  message: 'The pod failed.',
};

function podConditions(object: KubeObject): readonly RowCondition[] | undefined {
  switch (record(object['status'])['phase']) {
    case 'Succeeded':
      return [SUCCEEDED];
    case 'Failed':
      return [FAILED];
    default:
      return undefined;
  }
}

interface Tally {
  reason: string;
  ready: number;
  restarts: number;
  lastRestartMs: number;
}

function podCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = record(object['spec']);
  const status = record(object['status']);
  const tally: Tally = {
    reason: text(status['reason']) || text(status['phase']),
    ready: 0,
    restarts: 0,
    lastRestartMs: 0,
  };
  if (conditionOf(status, 'PodScheduled')['reason'] === 'SchedulingGated') tally.reason = 'SchedulingGated';
  let total = records(spec['containers']).length;
  total += records(spec['initContainers']).filter(isSidecar).length;
  const initializing = tallyInit(spec, status, tally);
  const initialized = conditionOf(status, 'Initialized')['status'] === 'True';
  if (!initializing || initialized) tallyContainers(status, tally);
  if (object.metadata.deletionTimestamp !== undefined) {
    if (status['reason'] === 'NodeLost') tally.reason = 'Unknown';
    else if (status['phase'] !== 'Failed' && status['phase'] !== 'Succeeded') tally.reason = 'Terminating';
  }
  const [ip] = records(status['podIPs']);
  return [
    object.metadata.name,
    `${tally.ready}/${total}`,
    tally.reason,
    restartsCell(tally, nowMs),
    age(object.metadata.creationTimestamp, nowMs),
    text(ip?.['ip']) || text(status['podIP']) || '<none>',
    text(spec['nodeName']) || '<none>',
    text(status['nominatedNodeName']) || '<none>',
    readinessGates(spec, status),
  ];
}

function restartsCell({ restarts, lastRestartMs }: Tally, nowMs: number): string {
  if (restarts === 0 || lastRestartMs === 0) return String(restarts);
  return `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`;
}

/** Looks at init containers; returns whether one of them is what the pod waits for. */
function tallyInit(spec: MutableRecord, status: MutableRecord, tally: Tally): boolean {
  const definitions = records(spec['initContainers']);
  const statuses = records(status['initContainerStatuses']);
  for (const [index, container] of statuses.entries()) {
    countRestarts(container, tally);
    const sidecar = definitions.some(
      (definition) => definition['name'] === container['name'] && isSidecar(definition),
    );
    const { terminated, waiting } = record(container['state']);
    if (terminated !== undefined) {
      const { exitCode, signal, reason } = record(terminated);
      if (exitCode === 0) continue;
      if (text(reason) !== '') tally.reason = `Init:${text(reason)}`;
      else
        tally.reason =
          number(signal) === undefined
            ? `Init:ExitCode:${String(exitCode)}`
            : `Init:Signal:${String(signal)}`;
      return true;
    }
    if (sidecar && container['started'] === true) {
      if (container['ready'] === true) tally.ready += 1;
      continue;
    }
    const reason = text(record(waiting)['reason']);
    tally.reason =
      reason !== '' && reason !== 'PodInitializing'
        ? `Init:${reason}`
        : `Init:${index}/${definitions.length}`;
    return true;
  }
  return false;
}

function tallyContainers(status: MutableRecord, tally: Tally): void {
  let running = false;
  for (const container of records(status['containerStatuses']).reverse()) {
    countRestarts(container, tally);
    const { waiting, terminated, running: runs } = record(container['state']);
    const waitingReason = text(record(waiting)['reason']);
    if (waitingReason !== '') tally.reason = waitingReason;
    else if (terminated !== undefined) tally.reason = terminatedReason(record(terminated));
    else if (container['ready'] === true && runs !== undefined) {
      running = true;
      tally.ready += 1;
    }
  }
  // Some containers have ended well and others run: the pod runs.
  if (tally.reason === 'Completed' && running) {
    tally.reason = conditionOf(status, 'Ready')['status'] === 'True' ? 'Running' : 'NotReady';
  }
}

function terminatedReason({ reason, signal, exitCode }: MutableRecord): string {
  if (text(reason) !== '') return text(reason);
  return number(signal) === undefined || signal === 0
    ? `ExitCode:${String(exitCode)}`
    : `Signal:${String(signal)}`;
}

function countRestarts(container: MutableRecord, tally: Tally): void {
  tally.restarts += number(container['restartCount']) ?? 0;
  const finishedMs = Date.parse(text(record(record(container['lastState'])['terminated'])['finishedAt']));
  if (!Number.isNaN(finishedMs)) tally.lastRestartMs = Math.max(tally.lastRestartMs, finishedMs);
}

function isSidecar(container: MutableRecord): boolean {
  return container['restartPolicy'] === 'Always';
}

function conditionOf(status: MutableRecord, type: string): MutableRecord {
  return records(status['conditions']).find((condition) => condition['type'] === type) ?? {};
}

function readinessGates(spec: MutableRecord, status: MutableRecord): string {
  const gates = records(spec['readinessGates']);
  if (gates.length === 0) return '<none>';
  const met = gates.filter((gate) => conditionOf(status, text(gate['conditionType']))['status'] === 'True');
  return `${met.length}/${gates.length}`;
}
