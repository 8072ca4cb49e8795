/** What is said of every option. */
interface Described {
  readonly unit?: string;
  readonly meaning: string;
  /** Name of the flag of the command, without dashes, where it has one of its own. */
  readonly flag?: string;
}

/** A text. */
export interface TextOption extends Described {
  readonly kind: 'text';
  readonly default: string;
  /** What a value has to match, and how to say so. */
  readonly pattern?: { readonly source: string; readonly is: string };
  /** Values that are known; others may be, too. */
  readonly choices?: readonly string[];
}

/** A whole number. */
export interface NumberOption extends Described {
  readonly kind: 'number';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** One of a few words. */
export interface ChoiceOption<Choice extends string = string> extends Described {
  readonly kind: 'choice';
  readonly default: Choice;
  readonly choices: readonly Choice[];
}

/** Texts by name. */
export interface MapOption extends Described {
  readonly kind: 'map';
  readonly default: Readonly<Record<string, string>>;
  /** What the texts have to match, and how to say so. */
  readonly pattern?: { readonly source: string; readonly is: string };
}

/** What another program checks: whatever YAML can say, by name. */
export interface FreeOption extends Described {
  readonly kind: 'free';
  readonly default: Readonly<Record<string, unknown>>;
}

/** A taint that the node is registered with, as the API has it. */
export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** A list of taints. */
export interface TaintsOption extends Described {
  readonly kind: 'taints';
  readonly default: readonly Taint[];
}

export type Option = TextOption | NumberOption | ChoiceOption | MapOption | TaintsOption | FreeOption;

/** Options by section. */
export type OptionTable = Readonly<Record<string, Readonly<Record<string, Option>>>>;

/** The value that an option gives. */
type ValueOf<O> =
  O extends ChoiceOption<infer Choice>
    ? Choice
    : O extends TextOption
      ? string
      : O extends NumberOption
        ? number
        : O extends MapOption
          ? Readonly<Record<string, string>>
          : O extends TaintsOption
            ? readonly Taint[]
            : O extends FreeOption
              ? Readonly<Record<string, unknown>>
              : never;

/** The configuration that a table describes: every option has a value. */
export type ConfigOf<Table extends OptionTable> = {
  readonly [Section in keyof Table]: {
    readonly [Name in keyof Table[Section]]: ValueOf<Table[Section][Name]>;
  };
};

/** A configuration in which only what differs from the defaults is said. */
export type PartialConfigOf<Table extends OptionTable> = {
  readonly [Section in keyof Table]?: {
    readonly [Name in keyof Table[Section]]?: ValueOf<Table[Section][Name]>;
  };
};

/** A row of the reference page. */
export interface OptionRow {
  /** `section.name`. */
  readonly path: string;
  /** As it is written in YAML. */
  readonly default: string;
  readonly unit: string;
  /** What a value may be: a range, the choices. */
  readonly range: string;
  readonly meaning: string;
  /** With its dashes; empty where it has none of its own. */
  readonly flag: string;
}

/** The rows of the reference page, in the order of the table. */
export function optionRows(table: OptionTable): readonly OptionRow[] {
  return Object.entries(table).flatMap(([section, options]) =>
    Object.entries(options).map(([name, option]) => ({
      path: `${section}.${name}`,
      default: JSON.stringify(option.default),
      unit: option.unit ?? '',
      range: rangeOf(option),
      meaning: option.meaning,
      flag: option.flag === undefined ? '' : `--${option.flag}`,
    })),
  );
}

function rangeOf(option: Option): string {
  switch (option.kind) {
    case 'number':
      return `${option.min} to ${option.max}`;
    case 'choice':
      return option.choices.join(', ');
    case 'text':
      return option.pattern?.is ?? 'text';
    case 'map':
      return `names to texts${option.pattern === undefined ? '' : `, each ${option.pattern.is}`}`;
    case 'free':
      return 'names to whatever is known to what is configured';
    case 'taints':
      return 'list of {key, value, effect}';
  }
}
