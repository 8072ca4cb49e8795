import { randomBelow, type Random } from '@hawser/seams';
import type { PeerAction, PeerModel } from './peer-model.ts';

const pick = <Item>(random: Random, items: readonly Item[]): Item | undefined =>
  items[randomBelow(random, items.length)];

/** Something lawful that a peer could do. */
export function lawfulAction(random: Random, model: PeerModel): PeerAction {
  const anyId = 1 + 2 * randomBelow(random, (model.lastId + 1) / 2);
  const stream = pick(random, model.writable());
  switch (randomBelow(random, 8)) {
    case 0:
      return { do: 'streams', credit: 1 + randomBelow(random, 10) };
    case 1:
      if (model.lastId > 0) return { do: 'window', id: anyId, credit: 1 + randomBelow(random, 100_000) };
      break;
    case 2:
      if (model.lastId > 0) return { do: 'reset', id: anyId };
      break;
    case 3:
      if (stream !== undefined) return { do: 'end', id: stream.id };
      break;
    case 4:
    case 5:
    case 6:
      if (stream !== undefined)
        return { do: 'data', id: stream.id, bytes: Math.min(stream.bytesLeft, randomBelow(random, 400)) };
      break;
  }
  if (model.mayOpen === 0) return { do: 'unknown', type: 0x80 + randomBelow(random, 128) };
  const id = model.lastId + (model.lastId % 2 === 0 ? 1 : 2) + 2 * randomBelow(random, 2);
  return { do: 'open', id, kind: randomBelow(random, 4) === 0 ? 'gone' : 'hold' };
}

/** Something that breaks a rule, if the state of things is right for it. */
export function hostileAction(random: Random, model: PeerModel): PeerAction {
  const id = randomBelow(random, model.lastId + 6);
  switch (randomBelow(random, 9)) {
    case 0:
      return { do: 'open', id, kind: 'hold' };
    case 1:
      return {
        do: 'open',
        id: model.lastId + 2,
        kind: pick(random, ['', 'Upper', 'k'.repeat(65), '-', 'a b']) ?? '',
      };
    case 2:
    case 3:
      return { do: 'data', id, bytes: randomBelow(random, 1100) };
    case 4:
      return { do: 'end', id };
    case 5:
      return { do: 'window', id, credit: pick(random, [2 ** 31 - 1, 2 ** 31 - 1024, 1]) ?? 1 };
    case 6:
      return { do: 'streams', credit: pick(random, [2 ** 20, 2 ** 20 - 8, 2 ** 31 - 1]) ?? 1 };
    case 7:
      return { do: 'unknown', type: pick(random, [0, 8, 0x7f]) ?? 0 };
    default:
      return { do: 'reset', id };
  }
}
