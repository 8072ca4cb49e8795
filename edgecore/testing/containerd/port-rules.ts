import { findProgram, runProgram } from './run-program.ts';

const PORTS = 'CNI-HOSTPORT-DNAT';

/**
 * Removes the rules that the CNI plug-in portmap has made for a network, since it was not asked to; without a network
 * the chains that all networks share, once no rule is left in them.
 * Source: containernetworking/plugins, plugins/meta/portmap.
 */
export async function clearPortRules(network: string | undefined): Promise<void> {
  if (findProgram('iptables-save') === undefined) return;
  const lines = (await runProgram('iptables-save', ['-t', 'nat'])).split('\n');
  const script = network === undefined ? sharedChains(lines) : rulesOf(network, lines);
  if (script.length === 0) return;
  await runProgram('iptables-restore', ['--noflush', '--wait'], {
    stdin: ['*nat', ...script, 'COMMIT', ''].join('\n'),
  });
}

function rulesOf(network: string, lines: readonly string[]): string[] {
  const rules = lines.filter((line) => line.startsWith(`-A ${PORTS} `) && line.includes(`\\"${network}\\"`));
  return rules.flatMap((rule) => {
    const chain = / -j (CNI-DN-\S+)/.exec(rule)?.[1];
    const removal = rule.replace('-A', '-D');
    return chain === undefined ? [removal] : [removal, `-F ${chain}`, `-X ${chain}`];
  });
}

function sharedChains(lines: readonly string[]): string[] {
  if (lines.some((line) => line.startsWith(`-A ${PORTS} `))) return [];
  const chains = lines.flatMap((line) => /^:(CNI-HOSTPORT-\S+)/.exec(line)?.[1] ?? []);
  const jumps = lines.filter((line) => / -j CNI-HOSTPORT-\S+/.test(line) && line.startsWith('-A'));
  return [
    ...jumps.map((jump) => jump.replace('-A', '-D')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ];
}
