import { expect, test } from 'vitest';
import { auditVerdict } from '../../dev/audit-verdict.ts';

const found = (...severities: string[]): string =>
  JSON.stringify({
    vulnerabilities: Object.fromEntries(severities.map((severity, at) => [`dep${at}`, { severity }])),
  });

test.each([
  ['nothing', found(), true, 'no known faults'],
  ['a moderate fault', found('moderate'), true, 'dep0 (moderate)'],
  ['a high one', found('low', 'high'), false, 'dep0 (low), dep1 (high)'],
  ['a critical one', found('critical'), false, 'dep0 (critical)'],
  ['a registry without audits', '{"message":"405 Method Not Allowed","error":{}}', true, 'gives no report'],
  ['no network', '', true, 'gives no report'],
  ['null', 'null', true, 'gives no report'],
])('%s is told, and ends the run where it is grave', (_what, printed, isClean, message) => {
  expect(auditVerdict(printed)).toEqual({ isClean, message: expect.stringContaining(message) });
});
