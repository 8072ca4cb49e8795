import type { EdgeStatus, ReportedError } from '@hawser/edgecore/admin';

/** What is not as it should be, one finding each, the most urgent first. */
export interface Finding {
  readonly what: string;
  readonly remedy?: string;
  readonly code?: string;
}

/** From when on an end of a certificate is near, though it should have been renewed long before. */
const CERTIFICATE_SOON_MS = 14 * 86_400_000;

/** Everything that keeps a node from being healthy; empty: it is. */
export function findings(status: EdgeStatus, nowMs: number): readonly Finding[] {
  const { node, cluster, session, outbox, store, certificate, problems } = status;
  const found: Finding[] = [];
  if (cluster.held !== undefined) {
    found.push({
      what: `The hub speaks for another cluster, or another life of it: ${cluster.held.why || 'not the one that this node has accepted'}. Nothing is taken from it, and nothing is reported.`,
      remedy:
        'If it was replaced or restored on purpose: hawser accept-cluster. If not, find out why the hub’s address leads there.',
    });
  }
  found.push(...problems.map(ofProblem));
  const isExplained = problems.length > 0 || cluster.held !== undefined;
  if (session.state === 'connecting' || session.state === 'waiting') {
    if (!isExplained) found.push({ what: 'There is no session with the hub.' });
  } else if (session.state === 'up') {
    for (const { scope } of status.scopes.filter(({ synced, held }) => !synced && held === 0)) {
      found.push({ what: `${scope} is not in sync with the hub yet.` });
    }
  }
  if (!node.ready) found.push({ what: `The node is not ready: ${node.message || 'it has not said why'}.` });
  if (outbox.diskError !== undefined) {
    found.push({ what: `What waits for the cloud cannot be written to disk: ${outbox.diskError}.` });
  }
  if (!store.healthy && problems.length === 0) {
    found.push(...store.messages.map((message) => ({ what: `Store: ${message}` })));
  }
  if (certificate !== undefined && Date.parse(certificate.expires) - nowMs < CERTIFICATE_SOON_MS) {
    const isOver = Date.parse(certificate.expires) <= nowMs;
    if (!(isOver && isExplained)) {
      found.push({
        what: `The certificate of this node ${isOver ? 'has ended' : 'ends soon'}${certificate.lastError === undefined ? '' : `: ${certificate.lastError}`}.`,
        remedy: 'It renews itself while the hub is reachable. See why it does not: the log of edgecore.',
      });
    }
  }
  return distinct(found);
}

function ofProblem({ code, message, remedy }: ReportedError): Finding {
  return { what: message, code, ...(remedy !== undefined && { remedy }) };
}

function distinct(found: readonly Finding[]): readonly Finding[] {
  return [...new Map(found.map((finding) => [finding.what, finding])).values()];
}
