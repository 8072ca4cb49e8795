import assert from 'node:assert/strict';
import { NO_HUB } from '../../src/hub/no-hub.ts';

describe('an edge without a hub', () => {
  it('has no session, and says so to whoever wants something of it', async () => {
    assert.equal(NO_HUB.usable, false);
    await assert.rejects(NO_HUB.ping(), { code: 'ERR_TUNNEL_CLOSED', message: /no hub is configured/ });
    await assert.rejects(NO_HUB.openStream('any'), { code: 'ERR_TUNNEL_CLOSED' });
  });
});
