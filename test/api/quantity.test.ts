import { assert, constantFrom, integer, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryBytes, nanoCpus, parseQuantity } from '../../src/api/quantity.ts';

/** In thousandths, so that integers can hold them: the exact value of each suffix. */
const thousandths: Readonly<Record<string, bigint>> = {
  m: 1n,
  '': 1000n,
  k: 10n ** 6n,
  M: 10n ** 9n,
  G: 10n ** 12n,
  Ki: 1000n * 2n ** 10n,
  Mi: 1000n * 2n ** 20n,
  Gi: 1000n * 2n ** 30n,
};

/** Up to 999.999 of any suffix: a terabyte by the byte, as far as a double is exact to the thousandth. */
const quantities = tuple(
  integer({ min: 0, max: 999 }),
  integer({ min: 0, max: 999 }),
  constantFrom(...Object.keys(thousandths)),
)
  .filter(([whole, decimals]) => whole + decimals > 0)
  .map(([whole, decimals, suffix]) => ({
    text: `${whole}.${String(decimals).padStart(3, '0')}${suffix}`,
    exact: (BigInt(whole) * 1000n + BigInt(decimals)) * (thousandths[suffix] ?? 0n),
  }));

describe('memoryBytes', () => {
  test('is the exact amount, rounded up to whole bytes', () => {
    const million = 1_000_000n;
    assert(
      property(quantities, ({ text, exact }) => {
        const bytes = (exact + million - 1n) / million;
        expect(memoryBytes(text)).toBe(Number(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['256Mi', 268_435_456],
    ['1.1k', 1100],
    ['0.1k', 100],
    ['1e3', 1000],
    ['2E', Number.MAX_SAFE_INTEGER],
    [512, 512],
    ['1n', 1],
  ])('%s is %i bytes', (quantity, bytes) => {
    expect(memoryBytes(quantity)).toBe(bytes);
  });
});

describe('nanoCpus', () => {
  test.each([
    ['500m', 500_000_000],
    ['0.1', 100_000_000],
    ['0.3', 300_000_000],
    [2, 2_000_000_000],
    ['1500u', 1_500_000],
    ['1.5n', 2],
  ])('%s of CPU is %i billionths', (quantity, nanos) => {
    expect(nanoCpus(quantity)).toBe(nanos);
  });
});

test.each(['1e-400', '0.0000000000000000001', '1n'])(
  '%s, however small, never becomes 0, which engines take for no limit',
  (quantity) => {
    expect(memoryBytes(quantity)).toBeGreaterThan(0);
    expect(nanoCpus(quantity)).toBeGreaterThan(0);
  },
);

test.each(['1e999', '999999999999999999999E'])('%s, however big, stays a number', (quantity) => {
  expect(memoryBytes(quantity)).toBe(Number.MAX_SAFE_INTEGER);
  expect(nanoCpus(quantity)).toBe(Number.MAX_SAFE_INTEGER);
});

test.each(['', '0', '-1', '1 Gi', 'Mi', 'Infinity', 0, -1, Number.NaN])(
  'parseQuantity refuses %j, and says what a quantity looks like',
  (quantity) => {
    expect(() => parseQuantity(quantity)).toThrow(
      /is not a positive Kubernetes quantity such as 500m or 256Mi/,
    );
  },
);
