/** The largest content, or body of an outbox entry, that is kept. etcd takes 1.5 MiB by default. */
export const LIMIT_CONTENT_BYTES = 16 * 2 ** 20;
/** The largest value of the edge's own state. */
export const LIMIT_STATE_BYTES = 64 * 2 ** 10;
/** All values of the edge's own state together; they are kept in memory. */
export const LIMIT_STATE_TOTAL_BYTES = 4 * 2 ** 20;
