import { expect, test } from 'vitest';
import { secretSource } from '../../../../../src/compute/providers/ecs/address/secret-source.ts';

const vault = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:billing-Ab12Cd';
const store = 'arn:aws:ssm:eu-west-1:123456789012:parameter';
const secret = { kind: 'secret', region: 'us-west-2', id: vault, label: 'AWSCURRENT' };

test.each<[reference: string, source: ReturnType<typeof secretSource> | object]>([
  [vault, secret],
  [`${vault}:password::`, secret],
  [`${vault}:password:AWSPREVIOUS:`, { ...secret, label: 'AWSPREVIOUS' }],
  [`${store}/tenants/team-a/db`, { kind: 'parameter', region: 'eu-west-1', names: ['/tenants/team-a/db'] }],
  [`${store}/db`, { kind: 'parameter', region: 'eu-west-1', names: ['db', '/db'] }],
])('%s has versions', (reference, source) => {
  expect(secretSource(reference)).toEqual(source);
});

test.each([
  `${vault}:password::0123456789abcdef0123456789abcdef`,
  `${vault}:::0123456789abcdef0123456789abcdef`,
  `${store}/tenants/db:3`,
  'arn:aws:s3:::bucket/parameter/x',
  'tenants/db',
  '',
])('%j names one for good, or nothing that is known', (reference) => {
  expect(secretSource(reference)).toBeUndefined();
});
