import { formatAddress } from '../cloud/address.ts';
import { formatSpan, formatTime } from '../output/times.ts';
import { failed, good, warning, type CheckResult } from './check.ts';
import type { HubProbe } from './hub-probe.ts';

/** Clocks that differ by less are as good as the same, milliseconds. */
const CLOSE_ENOUGH_MS = 60_000;
const SET_CLOCK = 'Set the clock, and let it follow a time server: `timedatectl set-ntp true`, or chrony.';

/** What the way to the hub is like, one sentence for each step that can fail. */
export function checkCloud(hub: { host: string; port: number }, probe: HubProbe): CheckResult {
  const { failure, addresses, authority } = probe;
  const where = formatAddress(hub.host, hub.port);
  switch (failure?.step) {
    case 'dns':
      return failed(
        `the name ${hub.host} cannot be resolved: ${failure.why}`,
        'Look at the name, and at the DNS of this machine (/etc/resolv.conf). An IP address works too.',
      );
    case 'tcp':
      return failed(
        `${where} (${addresses.join(', ')}) does not take connections: ${failure.why}`,
        tcpRemedy(failure.code),
      );
    case 'tls':
      return failed(
        `what listens on ${where} does not speak TLS 1.3: ${failure.why}`,
        'See that it is the port of the hub (10000 by default), and that no proxy in between looks into TLS.',
      );
    case 'authority':
      return failed(
        `what listens on ${where} is no hub: ${failure.why}`,
        'See that it is the port of the hub (10000 by default).',
      );
    case undefined:
  }
  if (authority !== undefined) return good(`${where} answers, and has the authority that the token names`);
  return failed(
    `${where} has another authority than the one that the token names`,
    'The token is for another cluster, or somebody is between this machine and the hub. Nothing secret was sent.',
  );
}

function tcpRemedy(code: string): string {
  if (code === 'ECONNREFUSED') return 'Start the hub (hawser-cloudcore), or correct the port.';
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH')
    return 'There is no route to it: look at the network of this machine.';
  return 'Look for a firewall in between: TCP to this port has to pass, in this direction only.';
}

/**
 * Whether this machine's clock fits the certificates and the hub's own clock. One that is behind is no obstacle: the
 * hub's time counts. One that is ahead makes certificates look expired.
 */
export function checkClock(
  { certificate, authority, hubTimeMs }: HubProbe,
  nowMs: number,
): CheckResult | undefined {
  if (certificate === undefined) return undefined; // the check of the cloud says why
  for (const [whose, { validTo }] of [
    ['authority of the cluster', authority ?? certificate],
    ['certificate of the hub', certificate],
  ] as const) {
    if (nowMs > Date.parse(validTo)) {
      const found = `by this clock (${formatTime(nowMs)}) the ${whose} has ended at ${formatTime(validTo)}`;
      const isAhead = hubTimeMs !== undefined && nowMs - hubTimeMs > CLOSE_ENOUGH_MS;
      return failed(
        found,
        isAhead ? SET_CLOCK : 'See that the clock is right; then look at the hub, which renews its own.',
      );
    }
  }
  if (hubTimeMs === undefined) return good(formatTime(nowMs));
  const aheadMs = nowMs - hubTimeMs;
  if (Math.abs(aheadMs) <= CLOSE_ENOUGH_MS) return good(`${formatTime(nowMs)}, as the hub has it`);
  return warning(
    `this clock is ${formatSpan(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the hub's`,
    SET_CLOCK,
  );
}
