import type { NodeChild } from '../processes/node-child.ts';
import { sendToParent } from '../processes/in-child.ts';

/** A question to a child process. */
interface Question {
  readonly kind: 'hawser-e2e-question';
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** A child's answer: what it answers with, or why it cannot. */
interface Answer {
  readonly kind: 'hawser-e2e-answer';
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly status?: unknown };
}

/** What a child answers to, by name. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

let lastId = 0;

/** In a child: answers the questions of {@link ask}. */
export function answerQuestions(answers: Answers): void {
  process.on('message', (message: Question) => {
    if ((message as Partial<Question> | null)?.kind !== 'hawser-e2e-question') return;
    void answer(message, answers).then(sendToParent);
  });
}

async function answer({ id, name, argument }: Question, answers: Answers): Promise<Answer> {
  try {
    const function_ = answers[name] as ((argument: unknown) => unknown) | undefined;
    if (function_ === undefined) throw new TypeError(`nothing answers to ${name}`);
    return { kind: 'hawser-e2e-answer', id, value: await function_(argument) };
  } catch (error) {
    const { message, status } = error as Error & { status?: unknown };
    return { kind: 'hawser-e2e-answer', id, error: { message, status } };
  }
}

/** What a child refused, with the API's Status where there was one. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly status: unknown;

  constructor(message: string, status: unknown) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks a child that serves {@link answerQuestions}.
 * @throws RemoteError when it cannot answer; E2eError as `NodeChild.message`
 */
export async function ask<T>(
  child: NodeChild,
  name: string,
  argument?: unknown,
  deadlineMs = 60_000,
): Promise<T> {
  const id = ++lastId;
  await child.send({ kind: 'hawser-e2e-question', id, name, argument });
  const fits = (message: unknown): boolean => {
    const { kind, id: of } = message as Partial<Answer>;
    return kind === 'hawser-e2e-answer' && of === id;
  };
  const { value, error } = (await child.message(fits, deadlineMs)) as Answer;
  if (error !== undefined) throw new RemoteError(error.message, error.status);
  return value as T;
}
