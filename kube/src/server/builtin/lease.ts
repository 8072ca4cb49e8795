import { field, type FieldError } from '../../status/field-error.ts';
import { number, record, type Draft } from '../draft.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { leasePrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';

/** Source: kubernetes pkg/apis/coordination/validation ValidateLeaseSpec. */
function leaseErrors(draft: Draft): FieldError[] {
  const spec = record(draft['spec']);
  const errors: FieldError[] = [];
  const seconds = number(spec['leaseDurationSeconds']);
  if (seconds !== undefined && seconds <= 0) {
    errors.push(field.invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  }
  const transitions = number(spec['leaseTransitions']);
  if (transitions !== undefined && transitions < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.push(field.invalid('spec.leaseTransitions', transitions, detail));
  }
  return errors;
}

/** Leases. */
export function leaseResource(): ResourceDefinition {
  return builtIn({
    group: 'coordination.k8s.io',
    kind: 'Lease',
    resource: 'leases',
    strategy: {
      allowCreateOnUpdate: true,
      allowUnconditionalUpdate: false,
      validate: leaseErrors,
      validateUpdate: leaseErrors,
    },
    table: leasePrinter,
  });
}
