import type { Answered, AnswerRecord } from './answer-record.ts';
import type { ClusterZone } from './cluster-zone.ts';
import type { DnsCounts } from './dns-counts.ts';
import type { Forwarder } from './forwarder.ts';
import { makeQuestion, readQuery, type Query, type Question } from './query.ts';
import { recordsOf } from './raw-answer.ts';
import { RCODE, TYPE, type Rcode } from './record-types.ts';
import { emptyReply, makeReply, passOn, type Way } from './reply.ts';

/** Settings of {@link Responder}. */
export interface ResponderOptions {
  readonly zone: ClusterZone;
  /** Whether the zone knows all that there is: until then it does not say that there is nothing. */
  readonly ready: () => boolean;
  readonly forwarder: Forwarder;
  readonly counts: DnsCounts;
}

/** Names that stand for each other in one answer; more are a circle. */
const MAX_FOLLOWED = 8;

/** Questions of one client that other servers are asked at a time: a busy one leaves room for the others. */
const MAX_OF_ONE = 128;

const RESULTS: ReadonlyMap<Rcode, 'formerr' | 'servfail' | 'nxdomain' | 'refused'> = new Map([
  [RCODE.FORMERR, 'formerr'],
  [RCODE.SERVFAIL, 'servfail'],
  [RCODE.NXDOMAIN, 'nxdomain'],
  [RCODE.REFUSED, 'refused'],
]);

/** Answers messages: of the cluster from the zone, of other names what other servers say. */
export class Responder {
  readonly #options: ResponderOptions;
  /** By client. */
  readonly #asking = new Map<string, number>();

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** The reply to a message; undefined: it is not to be answered. Never rejects. */
  async respond(message: Buffer, way: Way, client: string): Promise<Buffer | undefined> {
    const query = readQuery(message);
    if (query === undefined) return undefined;
    const reply = await this.#reply(query, way, client);
    this.#count(reply);
    return reply;
  }

  async #reply(query: Query, way: Way, client: string): Promise<Buffer> {
    const { zone } = this.#options;
    const { question, refusal } = query;
    if (question === undefined || refusal !== undefined) {
      return emptyReply(query, refusal ?? RCODE.FORMERR);
    }
    const answered = zone.owns(question.labels)
      ? await this.#ofCluster(query, question, client)
      : this.#ready && zone.reverse(question);
    if (typeof answered === 'object') return makeReply(query, answered, way);
    if (!query.recursionDesired) return emptyReply(query, RCODE.REFUSED);
    const message = await this.#ask(question, query, client);
    return message === undefined ? emptyReply(query, RCODE.SERVFAIL) : passOn(query, message, way);
  }

  get #ready(): boolean {
    return this.#options.ready();
  }

  /** A name of the cluster, and what it stands for. */
  async #ofCluster(query: Query, asked: Question, client: string): Promise<Answered> {
    const { zone } = this.#options;
    const answers: AnswerRecord[] = [];
    let question = asked;
    for (let followed = 0; followed <= MAX_FOLLOWED; followed += 1) {
      if (!zone.owns(question.labels)) {
        const more = await this.#ofOthers(query, question, client);
        return { ...more, authoritative: true, answers: [...answers, ...more.answers] };
      }
      const found = zone.answer(question);
      answers.push(...found.answers);
      const isThere = found.rcode === RCODE.NOERROR && found.answers.length > 0;
      if (!this.#ready && !isThere) return failure();
      if (found.follow === undefined || asked.type === TYPE.CNAME) return { ...found, answers };
      question = makeQuestion(found.follow, asked.type);
    }
    return failure();
  }

  async #ofOthers(query: Query, question: Question, client: string): Promise<Answered> {
    const message = await this.#ask(question, query, client);
    const answers = message === undefined ? undefined : recordsOf(message);
    if (message === undefined || answers === undefined) return failure();
    return { rcode: message.readUInt16BE(2) & 0xf, authoritative: false, answers };
  }

  async #ask(question: Question, query: Query, client: string): Promise<Buffer | undefined> {
    const { forwarder, counts } = this.#options;
    const asking = this.#asking.get(client) ?? 0;
    if (asking >= MAX_OF_ONE) {
      counts.add('forwards', 'full');
      return undefined;
    }
    this.#asking.set(client, asking + 1);
    const message = await forwarder.ask(question, query);
    const left = (this.#asking.get(client) ?? 1) - 1;
    if (left === 0) this.#asking.delete(client);
    else this.#asking.set(client, left);
    return message;
  }

  #count(reply: Buffer): void {
    const { counts } = this.#options;
    const rcode: Rcode = reply.readUInt16BE(2) & 0xf;
    if (rcode === RCODE.NOERROR) counts.add('answers', reply.readUInt16BE(6) > 0 ? 'noerror' : 'nodata');
    else counts.add('answers', RESULTS.get(rcode) ?? 'other');
  }
}

function failure(): Answered {
  return { rcode: RCODE.SERVFAIL, authoritative: false, answers: [] };
}
