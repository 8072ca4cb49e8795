import { dns1123SubdomainProblems } from '@hawser/kube';
import { CloudCoreError } from '../errors.ts';

/** Organization of a node's certificate. Source: Kubernetes, "Using Node Authorization". */
export const NODES_ORGANIZATION = 'system:nodes';

/** The common name of a node's certificate. */
export function nodeCommonName(node: string): string {
  return `system:node:${node}`;
}

/** @throws CloudCoreError `ERR_CLOUDCORE_NODE_NAME` where `name` cannot be the name of a Node */
export function checkNodeName(name: string): void {
  const problems = dns1123SubdomainProblems(name);
  if (problems.length === 0) return;
  const shown = JSON.stringify(name.slice(0, 300));
  throw new CloudCoreError(
    'ERR_CLOUDCORE_NODE_NAME',
    `${shown} is no name for a node: ${problems.join('; ')}`,
  );
}
