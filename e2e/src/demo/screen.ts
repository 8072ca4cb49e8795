import type { ViewLine, ViewSize } from './view.ts';

/** What of a terminal is used: `process.stdout`, or a test's. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

// ECMA-48, and what xterm added: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J'; // the other screen, no cursor, no wrapping
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const BEGIN_UPDATE = '\u001b[?2026h'; // nothing is shown until the end of the update
const END_UPDATE = '\u001b[?2026l';
const CLEAR_TO_END = '\u001b[K';
const RESET = '\u001b[0m';
const TONES = { plain: '', strong: '\u001b[1m', faint: '\u001b[2m', good: '\u001b[32m', bad: '\u001b[31m' };

/** The whole of a terminal, drawn in place: each line is written over the one before, and nothing is cleared first. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #colours: boolean;
  readonly #render: (size: ViewSize) => readonly ViewLine[];
  readonly #onResize = (): void => this.draw();
  #open = false;

  /** @param render asked for the lines at each drawing; as many as there are rows */
  constructor(
    terminal: Terminal,
    render: (size: ViewSize) => readonly ViewLine[],
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.#terminal = terminal;
    this.#render = render;
    this.#colours = (env['NO_COLOR'] ?? '') === ''; // https://no-color.org
  }

  /** Takes the terminal. Idempotent. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#terminal.write(ENTER);
    this.#terminal.on('resize', this.#onResize);
    this.draw();
  }

  draw(): void {
    if (!this.#open) return;
    const { columns = 80, rows = 24 } = this.#terminal;
    const lines = this.#render({ columns, rows }).map(
      (line, index) => `\u001b[${index + 1};1H${this.#painted(line)}${CLEAR_TO_END}`,
    );
    this.#terminal.write(`${BEGIN_UPDATE}${lines.join('')}${END_UPDATE}`);
  }

  /** Gives the terminal back as it was. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.off('resize', this.#onResize);
    this.#terminal.write(LEAVE);
  }

  #painted({ text, tone }: ViewLine): string {
    const code = TONES[tone];
    return this.#colours && code !== '' ? `${code}${text}${RESET}` : text;
  }
}
