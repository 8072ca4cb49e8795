/** In the edge's state: the local API of a node without a pool was used, so that it reads what pools share. */
export const POOL_NEEDED_KEY = 'pool-needed';
