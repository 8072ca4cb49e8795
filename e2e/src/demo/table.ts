/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** Aligned to the right. Default: left. */
  readonly right?: boolean;
  readonly of: (row: Row) => string;
}

/** A header and a line for each row, each column as wide as what is in it. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const texts = columns.map(({ title, of }) => [title, ...rows.map((row) => printable(of(row)))]);
  const widths = texts.map((column) => Math.max(...column.map(({ length }) => length)));
  return [-1, ...rows.keys()].map((row) =>
    columns
      .map(({ right }, column) => {
        const text = texts[column]?.[row + 1] ?? '';
        const width = widths[column] ?? 0;
        return right === true ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A text in at most so many characters, its end replaced by `…` where it is longer. */
export function cell(text: string, width: number): string {
  const line = printable(text);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`.slice(0, width);
}

/** What comes from elsewhere must not move the cursor. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the ones that are looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
