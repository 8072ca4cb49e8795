import { TunnelMetrics, tunnelLimits } from '@hawser/proto';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import {
  ClusterGuard,
  packJson,
  ScopeReplica,
  unpackJson,
  UpstreamRequests,
  type UpstreamAnswers,
  type UpstreamBodies,
} from '@hawser/sync';
import type { EdgeConfig } from './config/options.ts';
import type { EdgeLocal } from './edge-local.ts';
import type { PoolHub } from './edge-pool-types.ts';
import { StoredAcceptedCluster } from './hub/accepted-cluster.ts';
import { parseHubAddress } from './hub/hub-address.ts';
import { HubSession } from './hub/hub-session.ts';
import { NO_HUB } from './hub/no-hub.ts';
import { NodeCredentials } from './hub/node-credentials.ts';
import type { StreamHandler } from './hub/stream-dispatch.ts';
import { regarding } from './pods/recorded-pod-events.ts';
import { routesTo } from './hub/routes.ts';
import { CertificateRotation } from './identity/certificate-rotation.ts';
import type { Issued } from './identity/identity-bundle.ts';
import type { NodeIdentity } from './identity/node-identity.ts';
import { renewOverHttps } from './identity/renewal-request.ts';
import type { TrustedClock } from './identity/trusted-clock.ts';
import type { StopList } from './stop-list.ts';
import { TokenManager } from './tokens/token-manager.ts';
import type { WantedToken } from './tokens/wanted-tokens.ts';
import { SOFTWARE } from './version.ts';

/** What {@link makeHub} needs. */
export interface EdgeHubOptions {
  readonly config: EdgeConfig;
  readonly identity: NodeIdentity;
  readonly time: TrustedClock;
  readonly local: EdgeLocal;
  /** What serves the streams that the hub opens, by kind. */
  readonly streams: ReadonlyMap<string, StreamHandler>;
  /** The hub may be asked, or not any more. */
  readonly onUsable: (usable: boolean) => void;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** What is between this node and the hub. Nothing of it has been started but the tokens that are kept. */
export interface EdgeHub {
  readonly guard: ClusterGuard;
  readonly accepted: StoredAcceptedCluster;
  readonly replica: ScopeReplica;
  readonly tokens: TokenManager;
  readonly requests: UpstreamRequests;
  /** The session, as pools use it. */
  readonly session: PoolHub;
  /** undefined: no hub is configured. */
  readonly link: { readonly session: HubSession; readonly rotation: CertificateRotation } | undefined;
}

/** Makes the session with the hub, and what lives by it. */
export async function makeHub(options: EdgeHubOptions, stop: StopList): Promise<EdgeHub> {
  const { config, identity, time, local, clock, log } = options;
  const random = options.random === undefined ? {} : { random: options.random };
  const accepted = new StoredAcceptedCluster(local.store.state, identity.cluster?.clusterUid);
  const guard = new ClusterGuard(accepted);
  const replica = new ScopeReplica({
    ...{ scope: local.scope, store: local.store.replica, clock },
    ...random,
    log: log.child({ component: 'sync' }),
  });
  replica.onSynced(() => local.synced());
  const requests = new UpstreamRequests({ clock });
  const tokens = new TokenManager({
    state: local.state,
    request: async (body: UpstreamBodies['token-request'], signal) => {
      const answer = await requests.request('token-request', packJson(body), { signal });
      return unpackJson(answer) as UpstreamAnswers['token-request']; // its fields are checked where they are used
    },
    onToken: (uid) => local.tokenChanged(uid),
    onRefused: (wanted, message) => tellOfToken(local, wanted, message),
    clock,
    wallMs: () => time.wallMs(),
    ...random,
    log: log.child({ component: 'tokens' }),
  });
  await tokens.start();
  stop.add(() => tokens.stop());
  const parts = { guard, accepted, replica, tokens, requests };
  if (config.hub.address === '') return { ...parts, session: NO_HUB, link: undefined };

  const hub = parseHubAddress(config.hub.address);
  const rotation = new CertificateRotation({
    identity,
    ways: [
      async (csr, signal) => {
        const answer = await requests.request('certificate-renewal', packJson({ csr }), { signal });
        return unpackJson(answer) as Issued; // checked when it is adopted
      },
      (csr, signal) => renewOverHttps(csr, { identity, hub, wallMs: () => time.wallMs(), signal }),
    ],
    wallMs: () => time.hubMs() ?? time.wallMs(),
    onRenewed: () => {
      // A hub that refuses the former one is not asked again for minutes.
      if (session.tunnel !== undefined) return;
      session.reconnect().catch((err: unknown) => log.warn({ err }, 'could not connect at once'));
    },
    clock,
    ...random,
    logger: log.child({ component: 'identity' }),
  });
  const credentials = new NodeCredentials({ identity, rotation, log });
  const routes = routesTo(config.hub, {
    credentials: () => credentials.show(),
    limits: tunnelLimits(),
    verify: { wallMs: () => time.wallMs() },
  });
  const session: HubSession = new HubSession({
    node: identity.node,
    software: SOFTWARE,
    routes,
    heartbeatMs: config.hub.heartbeatMs,
    ...{ replica, outbox: local.outbox, requests, guard, accepted, state: local.store.state },
    onWelcome: (hubTimeMs) => {
      time.raise(hubTimeMs);
      credentials.letIn();
    },
    onUsable: (usable) => {
      tokens.setConnected(usable);
      local.devices.setConnected(usable);
      options.onUsable(usable);
    },
    onDown: (error) => credentials.failed(error),
    streams: options.streams,
    metrics: new TunnelMetrics(options.registry),
    clock,
    ...random,
    log: log.child({ component: 'hub' }),
  });
  for (const { transport } of routes) stop.add(() => transport.close());
  stop.add(() => rotation.stop());
  stop.add(() => session.stop());
  return { ...parts, session, link: { session, rotation } };
}

/** A pod without its token cannot begin, or soon cannot speak with the API server: its owner should know. */
function tellOfToken({ pods, events }: EdgeLocal, wanted: WantedToken, message: string): void {
  const pod = pods.pods().find(({ metadata }) => metadata.uid === wanted.podUid);
  if (pod === undefined) return;
  const text = `no token for service account ${wanted.serviceAccount}: ${message}`;
  events.record(regarding(pod), 'Warning', 'FailedMount', text);
}
