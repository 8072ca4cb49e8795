import assert from 'node:assert/strict';
import { encodeConnectionFrame } from '../../src/codec/codec.ts';
import { MessageStream, type Credentials } from '../../src/index.ts';
import { nextFrame, refusal } from '../../src/transport/identity-exchange.ts';
import { signStatement, statementOf } from '../../src/transport/webtransport/proof.ts';
import { rejectsWith, Site, TestAuthority, webTransportUnderTest } from '../../testing/index.ts';
import { RawClient } from './raw-client.ts';

/** Says hello with these, and gives the hub's answer: it rejects with a refusal. */
async function sayHello(client: RawClient, certificate: Uint8Array, proof: Uint8Array): Promise<string> {
  const messages = new MessageStream(client, 16 * 1024);
  await messages.send(encodeConnectionFrame({ hello: { certificates: [certificate], proof } }));
  const answer = await nextFrame(messages);
  if (answer.body === 'refused') throw refusal(answer.refused);
  return answer.body;
}

/** What the edge would sign on a connection that ends in a hub which shows `hub`. */
function statementOn(client: RawClient, edge: Credentials, hub = client.hubCertificate): Buffer {
  return statementOf(client.tls, { hub, edge: edge.certificate.raw });
}

describe('The proof of an edge over webtransport', function () {
  this.timeout(20_000);
  let authority: TestAuthority;
  let site: Site;
  let edge: Credentials;
  const clients: RawClient[] = [];

  before(async () => {
    authority = await TestAuthority.create();
    edge = await authority.edge();
  });

  beforeEach(async () => {
    site = await Site.open(webTransportUnderTest, authority);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.vanish();
    await site.close();
  });

  async function connect(to = site): Promise<RawClient> {
    const client = await RawClient.connect(to.address.port);
    clients.push(client);
    return client;
  }

  it('lets in whoever signs for this connection', async () => {
    const client = await connect();
    const proof = signStatement(statementOn(client, edge), edge.privateKey);
    assert.equal(await sayHello(client, edge.certificate.raw, proof), 'accepted');
  });

  it('is worth nothing on another connection to the same hub', async () => {
    const [first, second] = [await connect(), await connect()];
    const proof = signStatement(statementOn(first, edge), edge.privateKey);
    await rejectsWith(sayHello(second, edge.certificate.raw, proof), 'ERR_TUNNEL_CERT_KEY');
  });

  it('is worth nothing in the hands of another genuine hub that passes it on', async () => {
    // The edge dials a hub whose key was stolen; the thief hands the proof to the real one.
    const stolen = await Site.open(webTransportUnderTest, authority);
    try {
      const toThief = await connect(stolen);
      assert.notDeepEqual(toThief.hubCertificate, (await connect()).hubCertificate);
      const proof = signStatement(statementOn(toThief, edge), edge.privateKey);
      const thief = await connect();
      await rejectsWith(sayHello(thief, edge.certificate.raw, proof), 'ERR_TUNNEL_CERT_KEY');
    } finally {
      await stolen.close();
    }
  });

  it('names the hub and the edge that it is for', async () => {
    const other = await authority.edge('edge-2');
    const client = await connect();
    const elsewhere = await authority.hub();
    const forOtherHub = signStatement(statementOn(client, edge, elsewhere.certificate.raw), edge.privateKey);
    await rejectsWith(sayHello(client, edge.certificate.raw, forOtherHub), 'ERR_TUNNEL_CERT_KEY');
    const again = await connect();
    const forOtherEdge = signStatement(statementOn(again, other), edge.privateKey);
    await rejectsWith(sayHello(again, edge.certificate.raw, forOtherEdge), 'ERR_TUNNEL_CERT_KEY');
  });

  it('has to be there, and to be a signature', async () => {
    for (const proof of [Buffer.alloc(0), Buffer.alloc(64), Buffer.alloc(4096, 1)])
      await rejectsWith(sayHello(await connect(), edge.certificate.raw, proof), 'ERR_TUNNEL_CERT_KEY');
  });
});
