/**
 * Checks of names. Each returns what is wrong, in the API's words; an empty array means valid.
 * Source: k8s.io/apimachinery util/validation.
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';

const LABEL_LIMIT = 63;
const SUBDOMAIN_LIMIT = 253;

const QUALIFIED_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

const LABEL_REGEXP = whole(LABEL);
const SUBDOMAIN_REGEXP = whole(SUBDOMAIN);
const LABEL_1035_REGEXP = whole(LABEL_1035);
const QUALIFIED_REGEXP = whole(QUALIFIED);
const LABEL_VALUE_REGEXP = whole(LABEL_VALUE);
const CONFIG_KEY_REGEXP = whole(CONFIG_KEY);

function tooLong(limit: number): string {
  return `must be no more than ${limit} characters`;
}

function regexMessage(rule: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** A DNS label (RFC 1123): names of namespaces, containers, ports' hosts. At most 63 characters. */
export function dns1123LabelProblems(value: string): string[] {
  const problems = value.length > LABEL_LIMIT ? [tooLong(LABEL_LIMIT)] : [];
  if (LABEL_REGEXP.test(value)) return problems;
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    'and must start and end with an alphanumeric character';
  return [...problems, regexMessage(rule, LABEL, 'my-name', '123-abc')];
}

/** A DNS subdomain (RFC 1123): most objects' names. At most 253 characters. */
export function dns1123SubdomainProblems(value: string): string[] {
  const problems = value.length > SUBDOMAIN_LIMIT ? [tooLong(SUBDOMAIN_LIMIT)] : [];
  if (SUBDOMAIN_REGEXP.test(value)) return problems;
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
    'and must start and end with an alphanumeric character';
  return [...problems, regexMessage(rule, SUBDOMAIN, 'example.com')];
}

/** A DNS label that starts with a letter (RFC 1035): names of services. At most 63 characters. */
export function dns1035LabelProblems(value: string): string[] {
  const problems = value.length > LABEL_LIMIT ? [tooLong(LABEL_LIMIT)] : [];
  if (LABEL_1035_REGEXP.test(value)) return problems;
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
    'start with an alphabetic character, and end with an alphanumeric character';
  return [...problems, regexMessage(rule, LABEL_1035, 'my-name', 'abc-123')];
}

/** A name with an optional DNS subdomain as prefix, `example.com/name`: keys of labels and annotations, finalizers. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) {
    const message = regexMessage(QUALIFIED_RULE, QUALIFIED, 'MyName', 'my.name', '123-abc');
    return [
      `a valid label key ${message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems = second === undefined ? [] : prefixProblems(first);
  const name = second ?? first;
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > LABEL_LIMIT) problems.push(`name part ${tooLong(LABEL_LIMIT)}`);
  if (!QUALIFIED_REGEXP.test(name)) {
    problems.push(`name part ${regexMessage(QUALIFIED_RULE, QUALIFIED, 'MyName', 'my.name', '123-abc')}`);
  }
  return problems;
}

function prefixProblems(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return dns1123SubdomainProblems(prefix).map((problem) => `prefix part ${problem}`);
}

/** A label's value: empty, or at most 63 characters. */
export function labelValueProblems(value: string): string[] {
  const problems = value.length > LABEL_LIMIT ? [tooLong(LABEL_LIMIT)] : [];
  if (LABEL_VALUE_REGEXP.test(value)) return problems;
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
    'and must start and end with an alphanumeric character';
  return [...problems, regexMessage(rule, LABEL_VALUE, 'MyValue', 'my_value', '12345')];
}

/** A key of a ConfigMap or Secret. At most 253 characters. */
export function configKeyProblems(value: string): string[] {
  const problems = value.length > SUBDOMAIN_LIMIT ? [tooLong(SUBDOMAIN_LIMIT)] : [];
  if (!CONFIG_KEY_REGEXP.test(value)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(regexMessage(rule, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'));
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/**
 * A name that is one segment of a URL's path: names of RBAC objects. Source: apimachinery api/validation/path.
 */
export function pathSegmentProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((char) => value.includes(char)).map((char) => `may not contain '${char}'`);
}

/** A check of names for one resource. */
export type NameCheck = (name: string) => string[];

/** Checks `generateName` with the rule for whole names: a trailing dash is fine, for something follows it. */
export function generateNameProblems(prefix: string, check: NameCheck): string[] {
  return check(prefix.endsWith('-') && prefix.length > 1 ? `${prefix.slice(0, -1)}a` : prefix);
}
