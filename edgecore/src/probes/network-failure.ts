/** Source: Go, syscall: how these are known from a kubelet. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'broken pipe',
  ENOTFOUND: 'no such host',
};

/**
 * What went wrong with a connection, in the words of a kubelet as far as it has some.
 * @param address `10.0.0.1:80`
 */
export function networkFailure(error: unknown, address: string): string {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  const words = code === undefined ? undefined : WORDS[code];
  if (words === undefined) return message;
  // Without a call of the system it is the other side that has ended the connection before it answered.
  if (code === 'ECONNRESET' && syscall === undefined) return 'EOF';
  return syscall === 'connect' || syscall === 'getaddrinfo'
    ? `dial tcp ${address}: ${words}`
    : `read tcp ${address}: ${words}`;
}
