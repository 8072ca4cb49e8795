// A consumer as kube-proxy is one: `node main.js --kubeconfig FILE [--context NAME] [--events FILE] [--ruleset FILE]
// [--apply] [--check] [--netns NAME]`. It follows Services and EndpointSlices with the informers of
// @kubernetes/client-node, says each event as a line of JSON (--events, else standard output), and keeps rules of
// nftables up with them: written to --ruleset, looked at by the kernel (--check), put into it (--apply). Ends with
// SIGTERM.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { EventLines } from './event-lines.ts';
import { runNft } from './nft.ts';
import { ProxyConsumer } from './proxy-consumer.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    events: { type: 'string' },
    ruleset: { type: 'string' },
    netns: { type: 'string' },
    apply: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const { kubeconfig, context, events: eventsFile, ruleset, netns } = values;

const config = new KubeConfig();
if (kubeconfig === undefined) config.loadFromDefault();
else config.loadFromFile(kubeconfig);
if (context !== undefined) config.setCurrentContext(context);

const where = netns === undefined ? {} : { netns };
const events = new EventLines(eventsFile);
const consumer = new ProxyConsumer({
  config,
  events,
  apply: async (rules) => {
    if (ruleset !== undefined) await writeFile(ruleset, rules);
    if (values.apply) await runNft(rules, where);
    else if (values.check) await runNft(rules, { ...where, check: true });
  },
});
const end = (): void => void consumer.stop().then(() => process.exit(0));
process.once('SIGTERM', end);
process.once('SIGINT', end);
consumer.start();
