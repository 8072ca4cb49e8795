import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as whole from 'prom-client';
import { Counter, Gauge, Histogram, Registry } from '../src/metrics.ts';

describe('Metrics', () => {
  it('are those of prom-client, so that registries can be shared in one process', () => {
    assert.equal(Counter, whole.Counter);
    assert.equal(Gauge, whole.Gauge);
    assert.equal(Histogram, whole.Histogram);
    assert.equal(Registry, whole.Registry);
  });

  it('print themselves in the Prometheus text format, labels escaped', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'served_total', help: 'Served.', labelNames: ['who'], registers }).inc({
      who: 'a "b"\n\\c',
    });
    new Gauge({ name: 'depth', help: 'How deep.', registers }).set(2.5);
    new Histogram({ name: 'took_seconds', help: 'Time.', buckets: [1, 2], registers }).observe(1.5);
    const text = await registry.metrics();
    assert.match(text, /^# TYPE served_total counter\nserved_total\{who="a \\"b\\"\\n\\\\c"\} 1$/m);
    assert.match(text, /^# HELP depth How deep\.\n# TYPE depth gauge\ndepth 2\.5$/m);
    assert.match(text, /^took_seconds_bucket\{le="2"\} 1$/m);
  });

  it('load none of what makes prom-client large', () => {
    const script = `
      await import(${JSON.stringify(new URL('../src/metrics.js', import.meta.url).href)});
      const { createRequire } = await import('node:module');
      console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;
    const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    }).split('\n');
    assert.ok(loaded.some((file) => file.endsWith('prom-client/lib/counter.js')));
    const large = /prom-client\/index\.js|defaultMetrics|cluster|pushgateway|tdigest|opentelemetry/;
    assert.deepEqual(
      loaded.filter((file) => large.test(file)),
      [],
    );
  });
});
