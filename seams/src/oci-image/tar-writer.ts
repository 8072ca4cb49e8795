/** A file, folder or link in an archive. Owner is root, the time is 1970: the same content gives the same bytes. */
export interface TarEntry {
  /** Path without a leading slash, below 100 bytes. */
  readonly path: string;
  readonly type?: 'file' | 'folder' | 'link';
  /** Permissions, default 0644 (0755 for folders). */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: Uint8Array | string;
  /** Where a symbolic link leads to, below 100 bytes. */
  readonly target?: string;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', link: '2', folder: '5' } as const;

/** Writes a tar archive. Source: POSIX.1-1988, ustar interchange format. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc(-content.length & (BLOCK - 1))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const {
    path,
    type = 'file',
    mode = type === 'folder' ? 0o755 : 0o644,
    uid = 0,
    gid = 0,
    target = '',
  } = entry;
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, at: number, length: number): void => {
    if (Buffer.byteLength(value) > length) throw new RangeError(`too long for a tar header: ${value}`);
    block.write(value, at);
  };
  const octal = (value: number, at: number, length: number): void =>
    text(value.toString(8).padStart(length - 1, '0'), at, length - 1);
  text(type === 'folder' ? `${path}/` : path, 0, 100);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12); // time of change
  block.fill(' ', 148, 156); // the checksum counts as spaces in its own sum
  text(TYPE_FLAGS[type], 156, 1);
  text(target, 157, 100);
  text('ustar\u000000', 257, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}
