import { badRequest } from '../status/status-errors.ts';
import { goQuote } from '../status/go-format.ts';
import { parseLabelRequirements } from './label-parser.ts';
import {
  formatRequirement,
  labelRequirement,
  requirementMatches,
  type LabelOperator,
  type LabelRequirement,
} from './label-requirement.ts';

/** The object form, as in `spec.selector`. Source: k8s.io/apimachinery meta/v1 LabelSelector. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

/** One of `matchExpressions`. */
export interface LabelSelectorRequirement {
  readonly key: string;
  /** `In`, `NotIn`, `Exists` or `DoesNotExist`. */
  readonly operator: string;
  readonly values?: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

const NO_LABELS: Labels = {};

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Selects objects by their labels: all requirements must hold, none selects everything. */
export class LabelSelector {
  /** Selects every object. */
  static readonly everything: LabelSelector = new LabelSelector([]);
  /** Selects no object. */
  static readonly nothing: LabelSelector = new LabelSelector(undefined);

  /** In order of key; undefined: nothing matches. */
  readonly requirements: readonly LabelRequirement[] | undefined;

  private constructor(requirements: readonly LabelRequirement[] | undefined) {
    this.requirements = requirements;
  }

  /** A selector of these requirements. */
  static of(requirements: readonly LabelRequirement[]): LabelSelector {
    if (requirements.length === 0) return LabelSelector.everything;
    return new LabelSelector([...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
  }

  /**
   * Parses `labelSelector` of a request, e.g. `app=web,tier in (a,b),!canary`. Empty: everything.
   * @throws StatusError BadRequest with the API server's message.
   */
  static parse(text: string): LabelSelector {
    try {
      return LabelSelector.of(parseLabelRequirements(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw badRequest(error.message, { cause: error });
    }
  }

  /**
   * A selector from its object form. Absent: nothing; empty: everything.
   * Source: k8s.io/apimachinery meta/v1 LabelSelectorAsSelector.
   * @throws StatusError BadRequest for an operator, key or value that is not valid.
   */
  static fromObject(selector: LabelSelectorObject | undefined): LabelSelector {
    if (selector === undefined) return LabelSelector.nothing;
    try {
      const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
        labelRequirement(key, '=', [value]),
      );
      const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
        const known = Object.hasOwn(OBJECT_OPERATORS, operator) ? OBJECT_OPERATORS[operator] : undefined;
        if (known === undefined)
          throw new SyntaxError(`${goQuote(operator)} is not a valid label selector operator`);
        return labelRequirement(key, known, values);
      });
      return LabelSelector.of([...exact, ...expressions]);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw badRequest(error.message, { cause: error });
    }
  }

  /** Whether every object is selected. */
  get isEverything(): boolean {
    return this.requirements?.length === 0;
  }

  /** Whether an object with these labels is selected. */
  matches(labels: Labels | undefined): boolean {
    return (
      this.requirements?.every((requirement) => requirementMatches(requirement, labels ?? NO_LABELS)) ?? false
    );
  }

  /** The canonical string; parsing it gives an equal selector (but for {@link LabelSelector.nothing}, which has none). */
  toString(): string {
    return this.requirements?.map(formatRequirement).join(',') ?? '';
  }
}
