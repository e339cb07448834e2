/**
 * Kubernetes quantities ("500m", "256Mi", "1.5", "2e3"), as far as a positive amount of CPU or memory needs them.
 * Suffixes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */

const suffixFactors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * Takes positive quantities only: at least one digit is not zero. No lookahead, which the apiserver refuses, and never
 * two ways to read the same digits: tenants write these, and a pattern that backtracks would hold up the operator.
 */
export const positiveQuantityPattern =
  '^(0*[1-9][0-9]*(\\.[0-9]*)?|0*\\.0*[1-9][0-9]*)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$';

const quantityParts = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]+))?$/;
const positiveQuantity = new RegExp(positiveQuantityPattern);

export function isPositiveQuantity(text: string): boolean {
  return positiveQuantity.test(text);
}

/**
 * The number a quantity stands for, in its base unit (cores or bytes).
 * Throws RangeError for what is not a positive quantity; the schema has refused that before.
 */
export function parseQuantity(quantity: string | number): number {
  const text = String(quantity);
  const match = isPositiveQuantity(text) ? quantityParts.exec(text) : null;
  if (match === null)
    throw new RangeError(`"${text}" is not a positive Kubernetes quantity such as 500m or 256Mi`);
  const [, digits = '', suffix = '', exponent] = match;
  const factor = exponent === undefined ? (suffixFactors[suffix] ?? 1) : 10 ** Number(exponent);
  return Number(digits) * factor;
}

/** Whole bytes, rounded up; at least 1. */
export function memoryBytes(quantity: string | number): number {
  return wholeUnits(parseQuantity(quantity));
}

/** Billionths of a core, rounded up; at least 1: the unit of Docker's NanoCpus. */
export function nanoCpus(quantity: string | number): number {
  return wholeUnits(parseQuantity(quantity) * 1e9);
}

/**
 * Never 0, which engines take for "no limit": `1e-400` would else be a way around max_resources. 15 digits are what a
 * double holds for certain, so that 1.1k is 1100 and not 1100.0000000000002 rounded up.
 */
function wholeUnits(amount: number): number {
  return Math.min(Math.max(1, Math.ceil(Number(amount.toPrecision(15)))), Number.MAX_SAFE_INTEGER);
}
