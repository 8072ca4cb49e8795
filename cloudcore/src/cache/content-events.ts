import type { Content } from '@hawser/sync';

/** What happens to contents that others than the nodes' scopes want to hear of. */
export interface ContentEvents {
  /** An object cannot be brought into normal form. What was known of it before stays. */
  unreadable(key: string, error: unknown): void;
  /** Another content takes the place of this one, which edges may still have. Its bytes unpack when they are read. */
  replaced(content: Content): void;
}
