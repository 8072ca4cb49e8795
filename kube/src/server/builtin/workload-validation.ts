import { jsonEqual } from '../../meta/json.ts';
import { LabelSelector, type LabelSelectorObject } from '../../meta/label-selector.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { StatusError } from '../../status/status.ts';
import { number, record, stringMap, text, type Draft, type MutableRecord } from '../draft.ts';
import { labelErrors } from '../rest/meta-validation.ts';
import { podSpecErrors } from './pod-validation.ts';

const NOT_NEGATIVE = 'must be greater than or equal to 0';

/** Checks that numbers are not negative. */
export function notNegative(spec: MutableRecord, keys: readonly string[], path = 'spec'): FieldError[] {
  return keys.flatMap((key) => {
    const value = number(spec[key]);
    return value !== undefined && value < 0 ? [field.invalid(`${path}.${key}`, value, NOT_NEGATIVE)] : [];
  });
}

/** The selector of a workload, or what is wrong with it. */
function selectorOf(spec: MutableRecord): LabelSelector | string {
  try {
    const selector = spec['selector'] as LabelSelectorObject | null | undefined; // decoded as LabelSelector
    return LabelSelector.fromObject(selector ?? undefined);
  } catch (error) {
    if (error instanceof StatusError) return error.message;
    throw error;
  }
}

/** What {@link templateErrors} is to check. */
export interface TemplateRules {
  /** Restart policies that make sense. */
  readonly restartPolicies: readonly string[];
  /** For the message on an empty selector. */
  readonly kind: string;
}

/**
 * Checks selector and template of a workload: the one must select the other.
 * Source: kubernetes pkg/apis/apps/validation ValidateDeploymentSpec and its siblings.
 */
export function templateErrors(spec: MutableRecord, { restartPolicies, kind }: TemplateRules): FieldError[] {
  const errors: FieldError[] = [];
  const selector = selectorOf(spec);
  if (spec['selector'] === undefined || spec['selector'] === null)
    errors.push(field.required('spec.selector'));
  else if (typeof selector === 'string')
    errors.push(field.invalid('spec.selector', spec['selector'], selector));
  else if (selector.isEverything) {
    errors.push(field.invalid('spec.selector', spec['selector'], `empty selector is invalid for ${kind}`));
  }
  const template = record(spec['template']);
  const labels = stringMap(record(template['metadata'])['labels']);
  if (typeof selector !== 'string' && !selector.isEverything && !selector.matches(labels)) {
    const detail = '`selector` does not match template `labels`';
    errors.push(field.invalid('spec.template.metadata.labels', labels, detail));
  }
  return [...errors, ...podTemplateErrors(template, restartPolicies)];
}

/** Checks a pod template. */
export function podTemplateErrors(
  template: MutableRecord,
  restartPolicies: readonly string[],
  path = 'spec.template',
): FieldError[] {
  const podSpec = record(template['spec']);
  const errors = [
    ...labelErrors(stringMap(record(template['metadata'])['labels']), `${path}.labels`),
    ...podSpecErrors(podSpec, `${path}.spec`),
  ];
  const policy = text(podSpec['restartPolicy']);
  if (!restartPolicies.includes(policy)) {
    errors.push(field.notSupported(`${path}.spec.restartPolicy`, policy, restartPolicies));
  }
  return errors;
}

/** The selector of a workload never changes. */
export function selectorImmutable(draft: Draft, old: KubeObject): FieldError[] {
  const selector = record(draft['spec'])['selector'];
  return jsonEqual(selector, record(old['spec'])['selector'])
    ? []
    : [field.invalid('spec.selector', selector ?? null, 'field is immutable')];
}
