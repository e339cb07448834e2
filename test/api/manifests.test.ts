import { describe, expect, test } from 'vitest';
import { explainIssues } from '../../src/api/explain-issues.ts';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { badManifests, goodManifests } from './manifests.ts';
import type { Manifest } from './manifests.ts';

const schema = tenantSchema(tenantBlocks);

/** What zod has against a manifest, on one line; undefined where it takes it. */
function refusal(manifest: Manifest): string | undefined {
  const parsed = schema.safeParse(manifest);
  return parsed.success ? undefined : explainIssues(parsed.error);
}

describe('zod takes', () => {
  test.each(goodManifests)('$what', ({ manifest }) => {
    expect(refusal(manifest)).toBeUndefined();
  });
});

describe('zod refuses, naming the field,', () => {
  test.each(badManifests.filter((row) => row.zodIsSilent === undefined))('$what', ({ manifest, field }) => {
    const message = refusal(manifest);
    expect(message?.slice(0, field.length)).toBe(field);
    expect(message).not.toContain('\n');
  });
});

test('zod is silent only where the table says so', () => {
  const silent = badManifests.filter(({ manifest }) => refusal(manifest) === undefined);
  expect(silent).toEqual(badManifests.filter((row) => row.zodIsSilent !== undefined));
});
