import type { CountedCall } from '../dev/counting-proxy.ts';
import { atMost } from './verdict.ts';
import type { Verdict } from './verdict.ts';

type Call = Pick<CountedCall, 'operation' | 'names'>;

/** DescribeServices takes as many. */
const servicesPerCall = 10;

/** Of whole sweeps over so many services. */
export function sweepVerdicts(made: readonly Call[], services: number): readonly Verdict[] {
  const describes = made.filter(({ operation }) => operation === 'DescribeServices');
  // One list a hundred services says what is there without a Tenant.
  const others = made.filter(({ operation }) => !['DescribeServices', 'ListServices'].includes(operation));
  return [
    atMost(
      `DescribeServices of a sweep over ${services}`,
      (describes.length * services) / lookedAt(made),
      // And one for a cluster that was silent.
      Math.ceil(services / servicesPerCall) + 1,
    ),
    atMost('other calls in sweeps', others.length, 0),
  ];
}

/** Services that DescribeServices asked for, each as often as it did. */
export function lookedAt(calls: readonly Call[]): number {
  const described = calls.filter(({ operation }) => operation === 'DescribeServices');
  return described.reduce((sum, { names }) => sum + names.length, 0);
}
