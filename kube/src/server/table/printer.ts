import type { KubeObject } from '../../meta/object.ts';

/** A column of a Table. Source: meta/v1 TableColumnDefinition. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 0: always shown; above: in wide output. */
  readonly priority: number;
}

/** `conditions` of a row. */
export interface RowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Prints the objects of a resource as rows. */
export interface TablePrinter {
  readonly columns: readonly TableColumn[];
  /** One cell per column. */
  cells(object: KubeObject, nowMs: number): readonly unknown[];
  conditions?(object: KubeObject): readonly RowCondition[] | undefined;
  /** Whether no rows are `null` instead of `[]`: the API's generic converter does that. */
  readonly nullWithoutRows?: boolean;
}
