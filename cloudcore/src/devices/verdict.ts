import type { KubeObject } from '@hawser/kube';
import type { Problem } from '@hawser/devices';
import { record } from '../cache/json-reader.ts';
import { conditionsOf, type Condition } from '../upstream/conditions.ts';
import type { StatusForm } from '../upstream/device-resources.ts';

/** Type of the condition that says what the hub finds of a Device or a DeviceModel. */
export const VALID = 'Valid';

/** Most problems that a condition names, and most characters of its message: the first have to be mended first. */
const PROBLEMS_SHOWN = 5;
const MESSAGE_MAX = 2000;

/** What was found of a Device or a DeviceModel. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  /** `Valid`, `Invalid`, `NoSchema`, `BadSchema`. */
  readonly reason: string;
  readonly message: string;
}

/** Nothing is wrong. */
export const SOUND: Verdict = { status: 'True', reason: 'Valid', message: '' };

/** Something is wrong: the first problems, with paths and remedies. */
export function invalid(problems: readonly Problem[]): Verdict {
  const texts = problems.slice(0, PROBLEMS_SHOWN).map(({ path, message, remedy }) => {
    return `${path === '' ? 'the object' : path} ${message}. ${remedy}`.trim();
  });
  const more = problems.length - texts.length;
  const message = `${texts.join(' ')}${more > 0 ? ` (and ${more} more)` : ''}`;
  return { status: 'False', reason: 'Invalid', message: cut(message, MESSAGE_MAX) };
}

/** A text of at most so many characters. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** The condition of an object; undefined: it has none. */
export function validOf(object: KubeObject): Condition | undefined {
  return conditionsOf(record(object['status'])).find(({ type }) => type === VALID);
}

/** What of a condition a verdict decides, as one text; `''`: there is no condition. */
export function conditionText(condition: Condition | undefined): string {
  if (condition === undefined) return '';
  const { status, reason, message, observedGeneration } = condition;
  return JSON.stringify([status, reason, message, observedGeneration]);
}

/** The same of the condition that a verdict makes. @param generation see {@link observedGeneration} */
export function verdictText({ status, reason, message }: Verdict, generation: number | undefined): string {
  return JSON.stringify([status, reason, message, generation]);
}

/**
 * What a condition says that it is about. Nothing where the status is written with the whole object: there the condition
 * itself would make a new generation.
 */
export function observedGeneration(form: StatusForm, generation: number | undefined): number | undefined {
  return form === 'subresource' ? generation : undefined;
}
