import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ComputeResources } from '../../src/api/compute-fields.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { checkCommonPolicy, commonPolicyShape } from '../../src/compute/policy.ts';

const policyModule = new URL('../../src/compute/policy.ts', import.meta.url).href;
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const schema = z.strictObject(commonPolicyShape);
const subject = (image: string, resources: ComputeResources = {}, name = 'app') => ({
  name,
  image,
  resources,
});

function verdict(policy: object, containers: Parameters<typeof checkCommonPolicy>[1]): string {
  try {
    checkCommonPolicy(schema.parse(policy), containers);
    return 'allowed';
  } catch (error) {
    if (error instanceof ComputeError && error.code === 'PolicyDenied') return error.message;
    throw error;
  }
}

describe('allowed_images', () => {
  test('takes every image by default', () => {
    expect(verdict({}, [subject(`registry.example:5000/a/b@${digest}`), subject('nginx')])).toBe('allowed');
  });

  test('takes what one of several patterns takes, for each container', () => {
    const policy = { allowed_images: ['a/*', 'b/*'] };
    expect(verdict(policy, [subject('a/x'), subject('b/x')])).toBe('allowed');
    expect(verdict(policy, [subject('a/x'), subject('c/x', {}, 'side')])).toMatch(
      /^policy\.allowed_images: container side: image c\/x matches none of a\/\*, b\/\*\./,
    );
  });

  test('refuses what is no reference as such, whatever is allowed', () => {
    expect(() => verdict({}, [subject('nginx:')])).toThrow(/not a valid image reference/);
  });

  test.each(['', 'https://registry.example/*', 'a b', 'registry.example/', 'App', 'app:1@sha256:x', 'a//b'])(
    'can not be %j, which no image matches',
    (pattern) => {
      expect(schema.safeParse({ allowed_images: [pattern] }).error?.issues[0]?.message).toMatch(
        /^must be a pattern of image references/,
      );
    },
  );

  test('takes nothing where the list is empty', () => {
    expect(verdict({ allowed_images: [] }, [subject('a')])).toMatch(/^policy\.allowed_images: /);
  });

  test('answers at once, whatever image a tenant thinks up', () => {
    const policy = {
      allowed_images: ['**g**g**g**g**g**g**g**g**h*i'],
      max_resources: { cpu: '', memory: '' },
    };
    // Backtracking over 230 characters and 9 stars does not end today, so it is left to a process that can be ended.
    const script = `import { checkCommonPolicy } from ${JSON.stringify(policyModule)};
      const subject = { name: 'app', image: 'g'.repeat(230), resources: {} };
      try { checkCommonPolicy(${JSON.stringify(policy)}, [subject]); }
      catch (error) { console.log(error.code); }`;
    const args = ['--input-type=module', '--eval', script];
    const code = execFileSync(process.execPath, args, {
      timeout: 30_000,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    });
    expect(code).toBe('PolicyDenied\n');
  });
});

describe('max_resources', () => {
  const max = (cpu: string | number, memory: string | number = '') => ({ max_resources: { cpu, memory } });

  test.each<[string, object, ComputeResources[], boolean]>([
    ['no bound, no limit', max(''), [{}], true],
    ['no bound, any limit', max(''), [{ cpu: '1e9', memory: '1E' }], true],
    ['a limit at the bound', max('500m'), [{ cpu: '0.5' }], true],
    ['a limit over the bound', max('500m'), [{ cpu: '501m' }], false],
    [
      'a sum at the bound, which floating point misses',
      max('300m'),
      [{ cpu: '100m' }, { cpu: '200m' }],
      true,
    ],
    ['a sum over the bound', max('300m'), [{ cpu: '100m' }, { cpu: '201m' }], false],
    ['a whole number as bound', max(2), [{ cpu: 1 }, { cpu: '1' }], true],
    ['memory at the bound', max('', '1Gi'), [{ memory: '512Mi' }, { memory: 536_870_912 }], true],
    ['memory over the bound by a byte', max('', '1Gi'), [{ memory: 1_073_741_825 }], false],
    [
      'many limits that are next to nothing',
      max('', 2),
      [{ memory: '1e-400' }, { memory: '1n' }, { memory: '1n' }],
      false,
    ],
    ['no limit under a bound', max('1'), [{ cpu: '1m' }, {}], false],
    ['no memory limit under a bound of CPU alone', max('1'), [{ cpu: '1' }], true],
  ])('%s', (_what, policy, resources, allowed) => {
    const containers = resources.map((limits, index) => subject('a', limits, `c${index}`));
    expect(verdict(policy, containers) === 'allowed').toBe(allowed);
  });

  test('names the rule, the bound and what to do', () => {
    expect(verdict(max('1'), [subject('a', { cpu: '2' })])).toBe(
      'policy.max_resources.cpu: the containers ask for more cpu together than the 1 that a tenant may use. ' +
        "Ask for less, or have the operator's admin allow it",
    );
    expect(verdict(max('', '1Gi'), [subject('a', {}, 'side')])).toBe(
      'policy.max_resources.memory: container side names no memory limit, and tenants may use at most 1Gi. ' +
        "Set its resources.memory, or have the operator's admin allow it",
    );
  });

  test.each(['0', 'much', '-1', 0, 1.5])('%j is no bound', (cpu) => {
    expect(schema.safeParse(max(cpu)).error?.issues[0]?.message).toMatch(
      /^must be a positive Kubernetes quantity/,
    );
  });
});
