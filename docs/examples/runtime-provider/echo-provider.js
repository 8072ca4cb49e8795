// A provider of a runtime, complete and small: it runs `echo` in memory, and `pause`, which waits to be told to end.
// See docs/runtimes.md. `pods.runtime: /path/to/echo-provider.js` makes an edge core use it.
import { EchoRuntime } from './echo-runtime.js';

/** @type {import('@hawser/edgecore/runtime').RuntimeProvider<{ readonly prefix: string }>} */
const provider = {
  apiVersion: 'hawser.dev/runtime/v1',

  // Whatever is wrong is said when the edge core starts, not when a pod does.
  readOptions({ prefix = '', ...others }) {
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new Error(`${unknown}: there is no such option`);
    if (typeof prefix !== 'string') throw new Error('prefix: must be a text');
    return { prefix };
  },

  create: (context) => new EchoRuntime(context),
};

export default provider;
