import type { UpstreamBodies, UpstreamOutcome } from '@hawser/sync';

/** Which device something is said of. */
export type AboutDevice = Pick<UpstreamBodies['device'], 'namespace' | 'name' | 'uid'>;

/**
 * How twins speak to the cloud. Bodies are asked for when they are sent, each time; `onAnswer` hears what the cloud said of
 * each. Nothing of it goes to the disk.
 */
export interface DeviceReports {
  device(
    about: AboutDevice,
    body: () => UpstreamBodies['device'],
    onAnswer: (outcome: UpstreamOutcome) => void,
  ): void;
  settings(
    about: AboutDevice,
    body: () => UpstreamBodies['device-setting'],
    onAnswer: (outcome: UpstreamOutcome) => void,
  ): void;
  /** What waits is not to be said any more. */
  withdraw(kind: 'device' | 'device-setting', about: AboutDevice): void;
}

/** Whether the outbox sends the same again after a status. */
export function isAskedAgain(status: number): boolean {
  return status === 409 || status === 429 || status >= 500;
}
