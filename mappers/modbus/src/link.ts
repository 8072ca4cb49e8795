import type { ModbusClient } from './client.ts';

/** What devices that share a connection are reached by. */
export interface Link {
  /**
   * What requests go over now.
   * @throws ConnectionLost there is nothing, and it cannot be had
   */
  client(signal: AbortSignal): Promise<ModbusClient>;
  /** A request was not answered. */
  unanswered(): void;
  /** Something was answered. */
  answered(): void;
  onLost(listener: (reason: Error) => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}
