/** Lines that are kept: the end of them, should somebody leave it running for a month. */
const LINES_KEPT = 1000;

/** What has happened, in lines, for a terminal or a file. */
export class Journal {
  readonly #print: (line: string) => void;
  readonly #lines: string[] = [];

  /** @param print takes each line as it comes */
  constructor(print: (line: string) => void = () => {}) {
    this.#print = print;
  }

  /** The oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** A headline of a part. */
  title(text: string): void {
    this.#add('');
    this.#add(text);
  }

  /** Something that happened. */
  line(text: string): void {
    this.#add(`  ${clock()}  ${text}`);
  }

  /** Something that was reached. */
  done(text: string): void {
    this.line(`✔ ${text}`);
  }

  /** What a command has printed. */
  output(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#add(`             ${line}`);
  }

  #add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    this.#print(line);
  }
}

/** Seconds since this process began. */
function clock(): string {
  return `${(performance.now() / 1000).toFixed(1).padStart(5)} s`;
}
