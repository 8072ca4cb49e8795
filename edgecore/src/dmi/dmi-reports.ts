import {
  canonicalValue,
  DeviceError,
  PROPERTIES_MAX,
  type BoundDevice,
  type DeviceState,
} from '@hawser/devices';
import type { Decoded } from '../cri/wire.ts';
import type { TwinManager } from '../twins/twin-manager.ts';
import { CallError } from './call-error.ts';
import type { DmiTwin } from './dmi-messages.ts';

/** What reports are said to. */
export type ReportTwins = Pick<TwinManager, 'expected' | 'report' | 'reportState' | 'settle'>;

type TwinMessage = Decoded<typeof DmiTwin.fields>;

/** States as KubeEdge's mappers of all releases name them, in lower case. */
const STATES: Readonly<Record<string, DeviceState>> = {
  ok: 'ok',
  online: 'online',
  offline: 'offline',
  disconnected: 'offline',
  disconn: 'offline',
  unhealthy: 'unhealthy',
  error: 'unhealthy',
  err: 'unhealthy',
  unknown: 'unknown',
};
const SHOWN_REFUSALS = 5;

/**
 * Takes what a mapper says of the twins of a device: values as reported, and settings whose value it has observed as settled.
 * @throws CallError what was refused; the rest is taken
 */
export function takeTwins(twins: ReportTwins, device: BoundDevice, reported: readonly TwinMessage[]): void {
  const { namespace, name } = device;
  if (reported.length === 0) throw invalid('there are no twins in it');
  if (reported.length > PROPERTIES_MAX)
    throw invalid(`there are ${String(reported.length)} twins in it, most ${String(PROPERTIES_MAX)}`);
  const values = new Map<string, string>();
  const settled = new Map<string, { version: string; ok: boolean }>();
  const types = new Map(device.properties.map(({ name: property, type }) => [property, type]));
  const expected = twins.expected(`${namespace}/${name}`);
  for (const twin of reported) {
    const { propertyName: property, observedDesired: observed } = twin;
    if (twin.reported !== undefined) values.set(property, twin.reported.value);
    const type = types.get(property);
    const setting = expected?.get(property);
    if (observed === undefined || type === undefined || setting === undefined) continue;
    if (isSame(type, observed.value, setting.value))
      settled.set(property, { version: setting.version, ok: true });
  }
  if (settled.size > 0) twins.settle(namespace, name, Object.fromEntries(settled));
  if (values.size === 0) return;
  const refused = Object.entries(twins.report(namespace, name, Object.fromEntries(values)));
  if (refused.length === 0) return;
  const shown = refused.slice(0, SHOWN_REFUSALS).map(([property, why]) => `${property}: ${why}`);
  const others = refused.length > SHOWN_REFUSALS ? `; ${String(refused.length - SHOWN_REFUSALS)} more` : '';
  throw invalid(`${shown.join('; ')}${others} (other values were taken)`);
}

/** Takes what a mapper says of the state of a device. @throws CallError for a state that nobody knows */
export function takeState(twins: ReportTwins, { namespace, name }: BoundDevice, text: string): void {
  const state = Object.hasOwn(STATES, text.toLowerCase()) ? STATES[text.toLowerCase()] : undefined;
  if (state === undefined) {
    const known = Object.keys(STATES).join(', ');
    throw invalid(`a state is one of ${known}, not ${JSON.stringify(text.slice(0, 64))}`);
  }
  twins.reportState(namespace, name, state);
}

function isSame(
  type: BoundDevice['properties'][number]['type'],
  observed: string,
  expected: string,
): boolean {
  if (observed === expected) return true;
  try {
    return canonicalValue(type, observed) === expected;
  } catch (error) {
    if (error instanceof DeviceError) return false;
    throw error;
  }
}

function invalid(message: string): CallError {
  return new CallError('refused', 'INVALID_ARGUMENT', message);
}
