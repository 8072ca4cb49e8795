import { CLI_ERRORS, CliError } from './errors.ts';

/** A failure as it is shown: what, which code, what to do. */
export interface Failure {
  readonly message: string;
  /** Of docs/errors.md; absent for what is no error of Hawser. */
  readonly code?: string;
  readonly remedy?: string;
  readonly about?: string;
  /** What it came from, nearest first, where the message does not say it. */
  readonly causes: readonly string[];
  /** More, for programs. */
  readonly details?: unknown;
}

type Remedies = Readonly<Record<string, { readonly remedy: string }>>;

/** What somebody at a command line can do about the answers of an API server. */
const API_REMEDIES: Readonly<Record<string, string>> = {
  ERR_KUBE_CLIENT_CONFIG:
    'Name a kubeconfig with `--kubeconfig FILE`, or set KUBECONFIG. `--context` chooses a cluster in it.',
  ERR_KUBE_CLIENT_CONNECTION:
    'See that the API server runs, that the address in the kubeconfig is right, and that this machine reaches it: `kubectl --kubeconfig FILE version`.',
  ERR_KUBE_CLIENT_TIMEOUT:
    'The API server is slow or unreachable. Try again; look at its load and the network.',
  ERR_KUBE_CLIENT_BAD_RESPONSE: 'See that the address in the kubeconfig is that of a Kubernetes API server.',
  ERR_KUBE_UNAUTHORIZED:
    'The API server does not know this user: the certificate or token has expired, perhaps.',
  ERR_KUBE_FORBIDDEN: 'Use a kubeconfig of a cluster administrator: `--kubeconfig`, `--context`.',
};

/** Where the remedies of a code are; loaded only when there is a failure to explain. */
async function remediesFor(code: string): Promise<Remedies> {
  if (code.startsWith('ERR_CLI_')) return CLI_ERRORS;
  if (code.startsWith('ERR_EDGE')) return (await import('@hawser/edgecore/admin')).EDGECORE_ERRORS;
  if (code.startsWith('ERR_CLOUDCORE_')) return (await import('@hawser/cloudcore/admin')).CLOUDCORE_ERRORS;
  if (code.startsWith('ERR_TUNNEL_')) return (await import('@hawser/proto')).TUNNEL_ERRORS;
  return {};
}

/** Explains any error; never rejects. */
export async function explain(error: unknown): Promise<Failure> {
  const { code, about, remedy, hubCode, details } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const message = error instanceof Error ? error.message : String(error);
  // What a hub says about its own refusal goes before what we know of refusals.
  const known = typeof hubCode === 'string' && hubCode !== '' ? hubCode : code;
  const advice = typeof remedy === 'string' && remedy !== '' ? remedy : await remedyOf(known);
  return {
    message,
    ...(typeof code === 'string' && { code }),
    ...(advice !== undefined && { remedy: advice }),
    ...(typeof about === 'string' && { about }),
    causes: causesOf(error, message),
    ...(details !== undefined && { details }),
  };
}

async function remedyOf(code: unknown): Promise<string | undefined> {
  if (typeof code !== 'string') return undefined;
  const direct = API_REMEDIES[code];
  if (direct !== undefined) return direct;
  return (await remediesFor(code))[code]?.remedy;
}

function causesOf(error: unknown, message: string): string[] {
  const causes: string[] = [];
  let said = message;
  for (
    let cause = causeOf(error), depth = 0;
    cause !== undefined && depth < 5;
    cause = causeOf(cause), depth++
  ) {
    const text = cause instanceof Error ? messageOf(cause) : JSON.stringify(cause);
    if (!said.includes(text)) causes.push(text);
    said += ` ${text}`;
  }
  return causes;
}

/** Errors of a connection to several addresses have no message of their own. */
function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.name;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? undefined) : undefined;
}

/** Whether an error says that the command was used wrongly. */
export function isMisuse(error: unknown): boolean {
  return error instanceof CliError && error.code === 'ERR_CLI_USAGE';
}

/** The lines for a terminal. */
export function failureText({ message, code, remedy, causes }: Failure): string {
  return [
    `hawser: ${message}${code === undefined ? '' : ` (${code})`}`,
    ...causes.map((cause) => `  because: ${cause}`),
    ...(remedy === undefined ? [] : [`  What to do: ${remedy}`]),
  ].join('\n');
}
