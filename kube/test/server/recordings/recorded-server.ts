import { systemClock, type Clock } from '@hawser/seams';
import { unauthorized } from '../../../src/status/status-errors.ts';
import type { AdmissionPlugin } from '../../../src/server/admission/admission.ts';
import { namespaceLifecycle } from '../../../src/server/admission/namespace-lifecycle.ts';
import {
  defaultTolerationSeconds,
  podPriority,
  taintNewNodes,
} from '../../../src/server/admission/pod-defaults.ts';
import { serviceAccountAdmission } from '../../../src/server/admission/service-account.ts';
import type { TokenIssuer } from '../../../src/server/actions/token-request.ts';
import type { Authenticator, TokenAuthenticator } from '../../../src/server/auth/authenticator.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from '../../../src/server/auth/authorizer.ts';
import { createBootstrapPolicy } from '../../../src/server/auth/bootstrap-policy.ts';
import { NodeAuthorizer } from '../../../src/server/auth/node-authorizer.ts';
import { NodeGraph } from '../../../src/server/auth/node-graph.ts';
import { NodeRestriction } from '../../../src/server/auth/node-restriction.ts';
import { RbacAuthorizer } from '../../../src/server/auth/rbac-authorizer.ts';
import { AUTHENTICATED, MASTERS, userInfo } from '../../../src/server/auth/user.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { startKubeFixture, type KubeFixture } from '../../../testing/kube-fixture.ts';
import { RECORDED_AT } from './other-steps.ts';
import { USER_HEADER } from './replayer.ts';

/** Waiting is so many times shorter than it was when the exchanges were recorded. */
const HURRY = 20;
const AUDIENCE = 'https://kubernetes.default.svc';
/** The store begins here, so that version 2 is as long gone as it was in the recordings. */
const START_VERSION = 2000;

/** A clock that starts at the time of the recordings, and on which waiting takes a twentieth of the time. */
function hurriedClock(): Clock {
  const offsetMs = Date.parse(RECORDED_AT) - systemClock.wallMs();
  return {
    wallMs: () => systemClock.wallMs() + offsetMs,
    monotonicMs: () => systemClock.monotonicMs() * HURRY,
    setTimer: (delayMs, callback, options) => systemClock.setTimer(delayMs / HURRY, callback, options),
  };
}

const testAuthenticator: Authenticator = {
  authenticate(request) {
    const user = request.headers[USER_HEADER];
    if (typeof user !== 'string') return undefined;
    return userInfo(user, [MASTERS, AUTHENTICATED]);
  },
};

/** Tokens that are their own records. */
class TestTokens implements TokenIssuer, TokenAuthenticator {
  readonly defaultAudiences = [AUDIENCE];
  readonly #clock: Clock;
  readonly #issued = new Map<string, Parameters<TokenIssuer['issue']>[0]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(order: Parameters<TokenIssuer['issue']>[0]): Promise<{ token: string; expiresAtMs: number }> {
    const token = `token-${this.#issued.size}`;
    this.#issued.set(token, order);
    return Promise.resolve({ token, expiresAtMs: this.#clock.wallMs() + order.expirationSeconds * 1000 });
  }

  authenticateToken(token: string): ReturnType<TokenAuthenticator['authenticateToken']> {
    const order = this.#issued.get(token);
    if (order === undefined) return undefined;
    if (order.audiences.length === 0) throw unauthorized();
    const { namespace, serviceAccount, serviceAccountUid } = order;
    return {
      audiences: order.audiences,
      user: {
        username: `system:serviceaccount:${namespace}:${serviceAccount}`,
        uid: serviceAccountUid,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
        extra: { 'authentication.kubernetes.io/credential-id': ['JTI=1'] },
      },
    };
  }
}

/** A server set up as the recorded one was: authorization Node and RBAC, the default admission plug-ins. */
export async function startRecordedServer(): Promise<KubeFixture> {
  const store = new MemoryStore({ startVersion: START_VERSION });
  const clock = hurriedClock();
  const tokens = new TestTokens(clock);
  const rbac = new RbacAuthorizer(store);
  await createBootstrapPolicy(store, clock.wallMs());
  const plugins: AdmissionPlugin[] = [
    namespaceLifecycle(store),
    new NodeRestriction(store),
    serviceAccountAdmission(store),
    podPriority(store),
    defaultTolerationSeconds(),
    taintNewNodes,
  ];
  return startKubeFixture({
    store,
    clock,
    server: {
      authenticators: [testAuthenticator],
      authorizer: unionAuthorizer([
        privilegedGroupAuthorizer(MASTERS),
        new NodeAuthorizer(new NodeGraph(store)),
        rbac,
      ]),
      rules: rbac,
      plugins,
      tokens,
      tokenIssuer: tokens,
    },
  });
}
