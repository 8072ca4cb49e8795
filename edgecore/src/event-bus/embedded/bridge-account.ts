import type { BusAccount } from '../bus-account.ts';

/** Session of what goes to another broker; author of what it has retained here. No client can have this name. */
export const BRIDGE = '$bridge';

/** Whose that session is. */
export const BRIDGE_ACCOUNT: BusAccount = {
  name: BRIDGE,
  protocols: new Set(),
  topics: { publish: [], subscribe: [] },
  isBridge: true,
  messagesPerSecond: 1,
};
