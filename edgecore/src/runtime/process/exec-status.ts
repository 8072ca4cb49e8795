import type { SessionEnd } from './exec-session.ts';

/** How a command ended, as a Status. Source: cri/streaming/remotecommand, exec.go. */
export function statusOf(end: SessionEnd): Readonly<Record<string, unknown>> {
  const head = { metadata: {} };
  if ('failure' in end)
    return { ...head, status: 'Failure', reason: 'InternalError', message: end.failure, code: 500 };
  if (end.exitCode === 0) return { ...head, status: 'Success' };
  const message = `command terminated with non-zero exit code: exit code ${end.exitCode}`;
  const causes = [{ reason: 'ExitCode', message: String(end.exitCode) }];
  return { ...head, status: 'Failure', reason: 'NonZeroExitCode', message, details: { causes } };
}
