/** What {@link announceReady} sends. */
export interface ReadyMessage {
  readonly kind: 'hawser-e2e-ready';
  readonly value: unknown;
}

/** Whether a message is that of {@link announceReady}. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  return (message as Partial<ReadyMessage> | null)?.kind === 'hawser-e2e-ready';
}

/**
 * Called in a child process that `startNode` started, when it can be used: the parent's `startNode` resolves, with
 * `value` (anything that structured clone takes) as the child's `ready`. From then on the child exits when the
 * parent is gone.
 * @throws Error when the process has no parent that listens
 */
export function announceReady(value?: unknown): void {
  if (process.send === undefined) throw new Error('not started with an IPC channel');
  process.on('disconnect', () => process.exit(1));
  process.send({ kind: 'hawser-e2e-ready', value } satisfies ReadyMessage);
}

/**
 * Called in a child process: sends the parent a message, to be had by `child.message()`.
 * @throws Error when the process has no parent that listens
 */
export function sendToParent(message: unknown): void {
  if (process.send === undefined) throw new Error('not started with an IPC channel');
  process.send(message);
}
