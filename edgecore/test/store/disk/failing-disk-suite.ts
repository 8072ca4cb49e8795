// Run by mocha in a process of its own, under the recorder: its disk fails as the file of `IO_FAULT_FILE` says, which
// is written and removed here. `FAULT` is what to write there, `CODE` the error that is expected.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describeOutboxStore, describeReplicaStore } from '@hawser/sync/testing';
import { message, put, SCOPE, StoreFolder, textsOf } from '../store-folder.ts';

const { IO_FAULT_FILE: faultFile = '', FAULT: fault = '', CODE: code = '' } = process.env;

function refuseWrites(refuse: boolean): void {
  if (refuse) writeFileSync(faultFile, fault);
  else rmSync(faultFile, { force: true });
}

const folders: StoreFolder[] = [];
const fixture = {
  open: async () => {
    const folder = await StoreFolder.make();
    folders.push(folder);
    return folder.open();
  },
  reopen: async () => {
    const folder = folders.at(-1);
    assert.ok(folder !== undefined);
    return folder.reopen();
  },
  clean: async () => {
    refuseWrites(false);
    for (const folder of folders.splice(0)) await folder.remove();
  },
};

describeReplicaStore(`EdgeStore, ${fault}`, {
  open: async () => (await fixture.open()).replica,
  reopen: async () => (await fixture.reopen()).replica,
  refuseWrites,
  clean: fixture.clean,
});
describeOutboxStore(`EdgeStore, ${fault}`, {
  open: async () => (await fixture.open()).outbox,
  reopen: async () => (await fixture.reopen()).outbox,
  refuseWrites,
  clean: fixture.clean,
});

describe(`EdgeStore, ${fault}: everything that writes`, () => {
  afterEach(fixture.clean);

  it('is refused with a code, nothing half done, and goes on afterwards', async () => {
    const store = await fixture.open();
    await store.replica.apply(SCOPE, [put('pods/default/a', 'one')]);
    await store.state.set('epoch', Buffer.from('1'));
    refuseWrites(true);
    const large = Array.from({ length: 2000 }, (_, n) => put(`configmaps/default/c${n}`, `text ${n}`));
    const refused = await Promise.allSettled([
      store.replica.apply(SCOPE, [put('pods/default/a', 'two'), ...large]),
      store.outbox.write({ put: [message('pod/a', 1)], remove: [] }),
      store.state.set('epoch', Buffer.from('2')),
      store.replica.apply('pool/berlin', large),
    ]);
    const codes = refused.map((result) =>
      result.status === 'rejected' ? (result.reason as { code?: string }).code : 'done',
    );
    assert.deepEqual(codes, [code, code, code, code]);
    assert.deepEqual(await textsOf(store.replica), { 'pods/default/a': 'one' });
    assert.equal(store.replica.entries('pool/berlin').size, 0);
    assert.equal(Buffer.from(store.state.get('epoch') ?? []).toString(), '1');
    assert.deepEqual(await store.outbox.load(), []);

    refuseWrites(false);
    await store.state.set('epoch', Buffer.from('2'));
    await store.replica.apply(SCOPE, large);
    const again = await fixture.reopen();
    assert.deepEqual(again.openReport.findings, []);
    assert.equal(again.replica.entries(SCOPE).size, 2001);
    assert.equal(Buffer.from(again.state.get('epoch') ?? []).toString(), '2');
  });
});

describe(`EdgeStore, ${fault}: at the start`, () => {
  afterEach(fixture.clean);

  it('serves what is there', async () => {
    const store = await fixture.open();
    const many = Array.from({ length: 300 }, (_, n) =>
      put(`configmaps/default/c${n}`, `text ${n}`.repeat(50)),
    );
    await store.replica.apply(SCOPE, many);
    await store.state.set('epoch', Buffer.from('7'), { secret: true });
    refuseWrites(true);
    const again = await fixture.reopen(); // closing could not merge the log either
    assert.equal(again.openReport.readOnly, fault === 'EROFS');
    assert.deepEqual(again.openReport.findings, []);
    assert.equal(again.replica.entries(SCOPE).size, 300);
    assert.equal((await textsOf(again.replica))['configmaps/default/c299'], 'text 299'.repeat(50));
    assert.equal(Buffer.from(again.state.get('epoch') ?? []).toString(), '7');
    const large = Array.from({ length: 2000 }, (_, n) => put(`configmaps/default/d${n}`, `text ${n}`));
    await assert.rejects(again.replica.apply(SCOPE, large), { code });
    refuseWrites(false);
    const third = await fixture.reopen();
    await third.replica.apply(SCOPE, large);
    assert.equal(third.replica.entries(SCOPE).size, 2300);
  });
});
