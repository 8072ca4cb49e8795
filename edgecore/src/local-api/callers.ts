import { ANONYMOUS, type UserInfo } from '@hawser/kube';
import type { ApiCaller } from './cloud-access-types.ts';

const NOBODY: ApiCaller = { user: ANONYMOUS, isNode: false };

/**
 * What an authenticator has seen of a caller beside his name, for when his request goes on to the cloud. Known by the
 * object that says who he is: somebody who was impersonated is nobody here.
 */
export class Callers {
  readonly #callers = new WeakMap<UserInfo, ApiCaller>();

  add(caller: ApiCaller): void {
    this.#callers.set(caller.user, caller);
  }

  /** Who was authenticated so; anonymous where that is not known. */
  of(user: UserInfo): ApiCaller {
    return this.#callers.get(user) ?? NOBODY;
  }
}
