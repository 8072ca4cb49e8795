import type { ResourceDefinition } from '../registry/definition.ts';
import { builtIn } from './define.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

/** Kinds that ask a question and are never stored. */
export function reviewResources(): ResourceDefinition[] {
  const authentication = { group: AUTHENTICATION, namespaced: false } as const;
  const authorization = { group: AUTHORIZATION, namespaced: false } as const;
  return [
    builtIn({
      ...authentication,
      kind: 'SelfSubjectReview',
      resource: 'selfsubjectreviews',
      action: 'selfsubjectreview',
    }),
    builtIn({ ...authentication, kind: 'TokenReview', resource: 'tokenreviews', action: 'tokenreview' }),
    builtIn({
      group: AUTHORIZATION,
      kind: 'LocalSubjectAccessReview',
      resource: 'localsubjectaccessreviews',
      action: 'subjectaccessreview',
    }),
    builtIn({
      ...authorization,
      kind: 'SelfSubjectAccessReview',
      resource: 'selfsubjectaccessreviews',
      action: 'subjectaccessreview',
    }),
    builtIn({
      ...authorization,
      kind: 'SelfSubjectRulesReview',
      resource: 'selfsubjectrulesreviews',
      action: 'selfsubjectrulesreview',
    }),
    builtIn({
      ...authorization,
      kind: 'SubjectAccessReview',
      resource: 'subjectaccessreviews',
      action: 'subjectaccessreview',
    }),
  ];
}
