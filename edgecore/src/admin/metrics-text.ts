/** One metric with its present values. */
export interface MetricSample {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** One without labels, or several. */
  readonly values: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * Writes metrics as Prometheus reads them. Source: Prometheus, "Text-based format", version 0.0.4.
 * (A library for this would cost the edge 8 MB.)
 */
export function metricsText(samples: readonly MetricSample[]): string {
  return samples.map(block).join('');
}

function block({ name, help, type, values }: MetricSample): string {
  const lines = values.map(({ labels, value }) => `${name}${labelsText(labels)} ${value}\n`);
  return `# HELP ${name} ${help.replace(/[\\\n]/g, escape)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\\n"]/g, escape)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(character: string): string {
  return character === '\n' ? String.raw`\n` : `\\${character}`;
}
