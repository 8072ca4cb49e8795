import type { ObjectStore } from '../../store/store.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import type { TokenAuthenticator } from '../auth/authenticator.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Action } from '../http/actions.ts';
import type { Registry } from '../registry/registry.ts';
import { bindingAction } from './binding.ts';
import { evictionAction } from './eviction.ts';
import {
  accessReviewAction,
  rulesReviewAction,
  selfSubjectReviewAction,
  tokenReviewAction,
  type RuleLister,
} from './reviews.ts';
import { tokenAction, type TokenIssuer } from './token-request.ts';

/** What the actions need. */
export interface ActionDependencies {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  readonly plugins: readonly AdmissionPlugin[];
  readonly tokens: TokenAuthenticator | undefined;
  readonly tokenIssuer: TokenIssuer | undefined;
  readonly rules: RuleLister | undefined;
}

/** The actions of the built-in resources, by the names that their definitions use. */
export function builtInActions(dependencies: ActionDependencies): ReadonlyMap<string, Action> {
  const { store, registry, authorizer, plugins, tokens, tokenIssuer, rules } = dependencies;
  return new Map<string, Action>([
    ['binding', bindingAction(registry)],
    ['eviction', evictionAction(store)],
    ['token', tokenAction(store, tokenIssuer, plugins)],
    ['selfsubjectreview', selfSubjectReviewAction],
    ['tokenreview', tokenReviewAction(tokens, tokenIssuer?.defaultAudiences ?? [])],
    ['subjectaccessreview', accessReviewAction(authorizer)],
    ['selfsubjectrulesreview', rulesReviewAction(rules)],
  ]);
}
