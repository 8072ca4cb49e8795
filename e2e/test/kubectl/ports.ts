import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { PortForward } from '@kubernetes/client-node';
import { eventually } from '@hawser/seams/testing';
import type { KubectlSite } from './kubectl-site.ts';
import { sideBySide } from './kubectl.ts';

const LARGE_BYTES = 10 * 1024 * 1024;

/** Forwarded ports. */
export function describePorts(of: () => KubectlSite): void {
  it('forwards several ports, many connections, large bodies', async () => {
    const site = of();
    const sum = (await site.kubectl.ok(['exec', 'web', '--', 'sha256sum', '/srv/large'])).split(' ')[0];
    await sideBySide(site.kubectls, async (kubectl) => {
      const forwarded = kubectl.follow([
        'port-forward',
        'pod/web',
        ':8080',
        ':8081',
        '--address',
        '127.0.0.1',
      ]);
      await forwarded.until(/127\.0\.0\.1:\d+ -> 8080[^]*127\.0\.0\.1:\d+ -> 8081/);
      const ports = [...forwarded.text().matchAll(/127\.0\.0\.1:(\d+) ->/g)].map(([, port]) => Number(port));
      const get = async (port: number | undefined, page: string): Promise<Buffer> => {
        const answer = await fetch(`http://127.0.0.1:${port}/${page}`, { headers: { connection: 'close' } });
        return Buffer.from(await answer.arrayBuffer());
      };
      const small = Array.from({ length: 40 }, (_, index) => get(ports[index % 2], ''));
      const large = ports.map((port) => get(port, 'large'));
      for (const page of await Promise.all(small))
        assert.equal(page.toString(), 'hello\n', forwarded.errors());
      for (const body of await Promise.all(large)) {
        assert.equal(body.length, LARGE_BYTES);
        assert.equal(createHash('sha256').update(body).digest('hex'), sum);
      }
      await forwarded.stop();
    });
    await site.untilQuiet();
  }).timeout(60_000);

  it('says that nobody listens, and goes on', async () => {
    const { kubectls } = of();
    await sideBySide(kubectls, async (kubectl) => {
      const forwarded = kubectl.follow(['port-forward', 'pod/web', ':9', ':8080', '--address', '127.0.0.1']);
      await forwarded.until(/-> 9[^]*-> 8080/);
      const [, closed, open] = /:(\d+) -> 9[^]*:(\d+) -> 8080/.exec(forwarded.text()) ?? [];
      await assert.rejects(fetch(`http://127.0.0.1:${closed}/`));
      await eventually('it says why', () => /connection refused/i.test(forwarded.errors()), {
        deadlineMs: 10_000,
      });
      // Old ones end after the first error, and so does any with kube-apiserver.
      if (forwarded.child.exitCode === null) {
        const answer = await fetch(`http://127.0.0.1:${open}/`).catch(() => undefined);
        if (answer !== undefined) assert.equal(await answer.text(), 'hello\n');
      }
      await forwarded.stop();
    });
  }).timeout(60_000);

  it('forwards for a client over a WebSocket', async () => {
    const { config } = of();
    const [output, errors, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const socket = await new PortForward(config).portForward('default', 'web', [8080], output, errors, input);
    input.write('GET / HTTP/1.0\r\n\r\n');
    let said = '';
    output.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually('the page', () => said.endsWith('hello\n'), { deadlineMs: 10_000 });
    if ('close' in socket) socket.close();
  }).timeout(30_000);
}
