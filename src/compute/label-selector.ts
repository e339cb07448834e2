/** Label selectors in the syntax of Kubernetes (`kubectl get -l`): `team=a,tier in (gold,silver),!legacy`. */

export type Labels = Readonly<Record<string, string>>;
/** The labels of a namespace. Undefined: nobody knows them, or whether there is such a namespace. */
export type LabelsOf = (namespace: string) => Labels | undefined;
export type LabelSelector = (labels: Labels) => boolean;

type Requirement = (value: string | undefined) => boolean;

/** Throws where it is no selector. */
export function parseLabelSelector(text: string): LabelSelector {
  const parsed = partsOf(text).map((part) => parseRequirement(part.trim()));
  return (labels) => parsed.every(([key, holds]) => holds(ownLabel(labels, key)));
}

export function isLabelSelector(text: string): boolean {
  try {
    parseLabelSelector(text);
    return true;
  } catch {
    return false;
  }
}

const isKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const isValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const isInteger = /^[-+]?[0-9]{1,18}$/;

/** What stands between the commas that are outside of brackets. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let inBrackets = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '(' || char === ')') inBrackets = char === '(';
    if (char !== ',' || inBrackets) continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  return [...parts, text.slice(start)];
}

function parseRequirement(text: string): readonly [key: string, holds: Requirement] {
  if (text.startsWith('!')) return [keyOf(text.slice(1)), (value) => value === undefined];
  const [, key = text, operator = '', operand = ''] = /^([^\s=!<>()]+)(.?)(.*)$/s.exec(text) ?? [];
  const rest = `${operator}${operand}`.trim();
  return [keyOf(key), rest === '' ? (value) => value !== undefined : comparison(rest)];
}

function comparison(text: string): Requirement {
  const [, operator = '', operand = ''] = /^([=!<>]{1,2}|[a-z]+)(.*)$/s.exec(text) ?? [];
  switch (operator) {
    case '=':
    case '==':
      return oneOf([valueOf(operand)]);
    case '!=':
      return not(oneOf([valueOf(operand)]));
    case 'in':
      return oneOf(listOf(operand));
    case 'notin':
      return not(oneOf(listOf(operand)));
    case '<':
    case '>':
      return compared(operator, operand.trim());
    default:
      throw new TypeError(`${text} is no comparison`);
  }
}

function oneOf(values: readonly string[]): Requirement {
  return (value) => value !== undefined && values.includes(value);
}

/** As in Kubernetes, a label that is not there is none of them. */
function not(holds: Requirement): Requirement {
  return (value) => !holds(value);
}

function compared(operator: '<' | '>', operand: string): Requirement {
  if (!isInteger.test(operand)) throw new TypeError(`${operand} is no integer`);
  const bound = BigInt(operand);
  return (value) => {
    if (value === undefined || !isInteger.test(value)) return false;
    return operator === '<' ? BigInt(value) < bound : BigInt(value) > bound;
  };
}

function listOf(text: string): readonly string[] {
  const [, inside] = /^\((.*)\)$/s.exec(text.trim()) ?? [];
  if (inside === undefined || inside.trim() === '') throw new TypeError(`${text} is no list of values`);
  return inside.split(',').map(valueOf);
}

function keyOf(text: string): string {
  const key = text.trim();
  if (!isKey.test(key)) throw new TypeError(`${text} is no key of a label`);
  return key;
}

function valueOf(text: string): string {
  const value = text.trim();
  if (!isValue.test(value)) throw new TypeError(`${text} is no value of a label`);
  return value;
}

function ownLabel(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
