/** What a person at a terminal sees; plain lines where there is none. */
export class Display {
  readonly #terminal = process.stdout.isTTY;
  readonly #startedMs = performance.now();
  #hasStatus = false;

  /** A headline of a part. */
  title(text: string): void {
    this.#print(`\n${this.#bold(text)}`);
  }

  /** Something that happened. */
  line(text: string): void {
    this.#print(`  ${this.#clock()}  ${text}`);
  }

  /** Something that was reached. */
  done(text: string): void {
    this.#print(`  ${this.#clock()}  ✔ ${text}`);
  }

  /** What a command has printed. */
  output(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#print(`             ${line}`);
  }

  /** What is the case now; at a terminal each status takes the place of the one before. */
  status(text: string): void {
    if (!this.#terminal) {
      this.line(text);
      return;
    }
    process.stdout.write(`\r\u001b[K  ${text}`.slice(0, (process.stdout.columns || 80) + 4));
    this.#hasStatus = true;
  }

  #print(text: string): void {
    if (this.#hasStatus) process.stdout.write('\n');
    this.#hasStatus = false;
    process.stdout.write(`${text}\n`);
  }

  #clock(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(5)} s`;
  }

  #bold(text: string): string {
    return this.#terminal ? `\u001b[1m${text}\u001b[0m` : text;
  }
}
