import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@hawser/seams';
import { makeTempDir } from '@hawser/seams/testing';
import { DiskPkiFolder } from '../../src/identity/pki-folder.ts';
import {
  API_CERTIFICATE_FILE,
  apiCertificate,
  apiNames,
  type ApiCertificate,
} from '../../src/local-api/api-certificate.ts';

const execute = promisify(execFile);
const NAMES = apiNames('edge-1', '169.254.2.1', 'cluster.local');

describe('the certificate of the local API', () => {
  let dir: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const temporary = await makeTempDir();
    dir = temporary.path;
    remove = () => temporary.remove();
  });

  afterEach(() => remove());

  const make = async (names = NAMES): Promise<ApiCertificate> => {
    const folder = new DiskPkiFolder(dir);
    await folder.open();
    return await apiCertificate(folder, 'edge-1', names, silentLogger);
  };

  it('is for all names of the API, for servers only, and good whatever the clock says', async () => {
    const { cert, key } = await make();
    const certificate = new X509Certificate(cert);
    for (const name of ['127.0.0.1', '::1', '169.254.2.1'])
      assert.equal(certificate.checkIP(name), name, `for ${name}`);
    for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc.cluster.local', 'edge-1'])
      assert.equal(certificate.checkHost(name), name, `for ${name}`);
    assert.equal(certificate.checkIP('169.254.2.2'), undefined);
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(Date.parse(certificate.validFrom), Date.UTC(2020, 0, 1));
    assert.equal(Date.parse(certificate.validTo), Date.UTC(2120, 0, 1));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  });

  it('is the same after a restart, and only its owner can read it', async () => {
    const first = await make();
    assert.deepEqual(await make(), first);
    assert.equal((await stat(path.join(dir, API_CERTIFICATE_FILE))).mode & 0o777, 0o600);
  });

  it('is made anew where it is damaged, of another key, or for other names', async () => {
    const first = await make();
    const file = path.join(dir, API_CERTIFICATE_FILE);
    const changed = apiNames('edge-1', '169.254.9.9', 'cluster.local');
    const moved = await make(changed);
    assert.notEqual(moved.cert, first.cert);
    assert.equal(new X509Certificate(moved.cert).checkIP('169.254.9.9'), '169.254.9.9');
    const broken = [
      first.key + moved.cert,
      first.cert,
      'nonsense',
      (await readFile(file, 'utf8')).slice(0, 400),
    ];
    for (const text of broken) {
      await writeFile(file, text);
      const made = await make(changed);
      assert.ok(new X509Certificate(made.cert).checkPrivateKey(createPrivateKey(made.key)));
      assert.deepEqual(await make(changed), made);
    }
  });

  it('is taken by OpenSSL, curl and Python, and by nobody who does not trust it', async function () {
    this.timeout(20_000);
    const { cert, key } = await make();
    const ca = path.join(dir, 'ca.crt');
    await writeFile(ca, cert);
    const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_ip', '169.254.2.1'];
    const { stdout } = await execute('openssl', [...strict, '-CAfile', ca, ca]);
    assert.match(stdout, /: OK/);
    const server = createServer({ cert, key }, (_request, response) => response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const curl = await execute('curl', ['--silent', '--show-error', '--cacert', ca, url]);
      assert.equal(curl.stdout, 'hello');
      await assert.rejects(execute('curl', ['--silent', url]));
      const script = [
        'import ssl, sys, urllib.request',
        'c = ssl.create_default_context(cafile=sys.argv[2])',
        'c.verify_flags |= ssl.VERIFY_X509_STRICT', // the default since Python 3.13
        'print(urllib.request.urlopen(sys.argv[1], context=c).read().decode())',
      ].join('\n');
      const python = await execute('python3', ['-c', script, url, ca]);
      assert.equal(python.stdout.trim(), 'hello');
      await assert.rejects(
        new Promise((resolve, reject) => request(url, resolve).once('error', reject).end()),
        /self[- ]signed/i,
      );
    } finally {
      server.close();
    }
  });
});
