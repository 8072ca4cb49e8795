import { jsonEqual } from '../../meta/json.ts';
import { pathSegmentProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { record, records, setDefault, strings, text, type Draft } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { AGE_COLUMN, column, NAME_COLUMN } from '../table/columns.ts';
import { genericPrinter } from '../table/default-printer.ts';
import { age } from '../table/duration.ts';
import type { TablePrinter } from '../table/printer.ts';
import { builtIn } from './define.ts';

const GROUP = 'rbac.authorization.k8s.io';
const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group'];
const SUPPORTED_KINDS = ['ServiceAccount', 'User', 'Group'];

/** Source: kubernetes pkg/apis/rbac/validation ValidatePolicyRule. */
function ruleErrors(draft: Draft, namespaced: boolean): FieldError[] {
  return records(draft['rules']).flatMap((rule, index) => {
    const at = `rules[${index}]`;
    if (strings(rule['verbs']).length === 0) {
      return [field.required(`${at}.verbs`, 'verbs must contain at least one value')];
    }
    const urls = strings(rule['nonResourceURLs']);
    if (urls.length > 0) {
      if (namespaced) {
        const detail = 'namespaced rules cannot apply to non-resource URLs';
        return [field.invalid(`${at}.nonResourceURLs`, urls, detail)];
      }
      if (strings(rule['apiGroups']).length + strings(rule['resources']).length === 0) return [];
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      return [field.invalid(`${at}.nonResourceURLs`, urls, detail)];
    }
    const errors: FieldError[] = [];
    if (strings(rule['apiGroups']).length === 0) {
      errors.push(field.required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    }
    if (strings(rule['resources']).length === 0) {
      errors.push(field.required(`${at}.resources`, 'resource rules must supply at least one resource'));
    }
    return errors;
  });
}

function roleStrategy(namespaced: boolean): ResourceStrategy {
  return {
    allowCreateOnUpdate: true,
    nameProblems: pathSegmentProblems,
    validate: (draft) => ruleErrors(draft, namespaced),
    validateUpdate: (draft) => ruleErrors(draft, namespaced),
  };
}

function bindingErrors(draft: Draft, namespaced: boolean): FieldError[] {
  const roleRef = record(draft['roleRef']);
  const errors: FieldError[] = [];
  if (roleRef['apiGroup'] !== GROUP)
    errors.push(field.notSupported('roleRef.apiGroup', text(roleRef['apiGroup']), [GROUP]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(text(roleRef['kind']))) {
    errors.push(field.notSupported('roleRef.kind', text(roleRef['kind']), kinds));
  }
  if (text(roleRef['name']) === '') errors.push(field.required('roleRef.name'));
  for (const [index, subject] of records(draft['subjects']).entries()) {
    const at = `subjects[${index}]`;
    if (text(subject['name']) === '') errors.push(field.required(`${at}.name`));
    const kind = text(subject['kind']);
    if (!SUBJECT_KINDS.includes(kind)) errors.push(field.notSupported(`${at}.kind`, kind, SUPPORTED_KINDS));
    if (kind === 'ServiceAccount' && text(subject['namespace']) === '' && !namespaced) {
      errors.push(field.required(`${at}.namespace`));
    }
  }
  return errors;
}

function bindingStrategy(namespaced: boolean): ResourceStrategy {
  return {
    allowCreateOnUpdate: true,
    nameProblems: pathSegmentProblems,
    default(draft) {
      setDefault(record(draft['roleRef']), 'apiGroup', GROUP);
      for (const subject of records(draft['subjects'])) {
        if (subject['kind'] === 'User' || subject['kind'] === 'Group') setDefault(subject, 'apiGroup', GROUP);
        else if (namespaced && subject['kind'] === 'ServiceAccount') {
          setDefault(subject, 'namespace', draft.metadata.namespace ?? '');
        }
      }
    },
    validate: (draft) => bindingErrors(draft, namespaced),
    validateUpdate(draft, old: KubeObject) {
      const errors = bindingErrors(draft, namespaced);
      if (!jsonEqual(draft['roleRef'], old['roleRef'])) {
        errors.push(field.invalid('roleRef', draft['roleRef'], 'cannot change roleRef'));
      }
      return errors;
    },
  };
}

function subjectNames(object: KubeObject, kind: string): string {
  return records(object['subjects'])
    .filter((subject) => subject['kind'] === kind)
    .map(({ namespace, name }) =>
      kind === 'ServiceAccount' ? `${text(namespace)}/${text(name)}` : text(name),
    )
    .join(', ');
}

const bindingPrinter: TablePrinter = {
  columns: [
    NAME_COLUMN,
    column(
      'Role',
      'string',
      'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace.',
    ),
    AGE_COLUMN,
    column('Users', 'string', 'Users in the roleBinding', 1),
    column('Groups', 'string', 'Groups in the roleBinding', 1),
    column('ServiceAccounts', 'string', 'ServiceAccounts in the roleBinding', 1),
  ],
  cells(object, nowMs) {
    const { kind, name } = record(object['roleRef']);
    return [
      object.metadata.name,
      `${text(kind)}/${text(name)}`,
      age(object.metadata.creationTimestamp, nowMs),
      subjectNames(object, 'User'),
      subjectNames(object, 'Group'),
      subjectNames(object, 'ServiceAccount'),
    ];
  },
};

/** Roles and their bindings. */
export function rbacResources(): ResourceDefinition[] {
  return [
    builtIn({
      group: GROUP,
      kind: 'ClusterRoleBinding',
      resource: 'clusterrolebindings',
      namespaced: false,
      strategy: bindingStrategy(false),
      table: bindingPrinter,
    }),
    builtIn({
      group: GROUP,
      kind: 'ClusterRole',
      resource: 'clusterroles',
      namespaced: false,
      strategy: roleStrategy(false),
      table: genericPrinter,
    }),
    builtIn({
      group: GROUP,
      kind: 'RoleBinding',
      resource: 'rolebindings',
      strategy: bindingStrategy(true),
      table: bindingPrinter,
    }),
    builtIn({
      group: GROUP,
      kind: 'Role',
      resource: 'roles',
      strategy: roleStrategy(true),
      table: genericPrinter,
    }),
  ];
}
