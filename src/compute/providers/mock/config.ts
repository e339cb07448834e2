import { z } from 'zod';
import { errorCodes } from '../../errors.ts';

/** What the mock provider can be told: it takes no infrastructure, so its whole behaviour is in its block. */

export const mockOperations = ['provision', 'update', 'destroy', 'get_status', 'validate'] as const;
export type MockOperation = (typeof mockOperations)[number];

const shape = {
  latency_ms: z
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe('Milliseconds that each operation takes. Default: 0.'),
  ready_after_ms: z
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe('Milliseconds from provisioning or an update to running and healthy. Default: 0.'),
  health: z.enum(['healthy', 'unhealthy']).optional().describe('Health once it runs. Default: healthy.'),
  desired: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe('Instances to pretend, where spec.replicas says nothing. Default: 1.'),
  fail_on: z.array(z.enum(mockOperations)).max(8).optional().describe('Operations that fail.'),
  fail_code: z
    .enum(errorCodes)
    .optional()
    .describe('Error code that failing operations reject with. Default: ProviderUnavailable.'),
  fail_times: z
    .int()
    .min(1)
    .optional()
    .describe('How many calls fail, counted per tenant, before they succeed. Default: all of them.'),
  roll_back: z
    .boolean()
    .optional()
    .describe('Whether an update to this spec ends rolled back. Default: false.'),
};

/** Of whatever keys. */
const maxProperties = 64;

function bounded<S extends z.ZodObject>(block: S): S {
  return block.refine((keys) => Object.keys(keys).length <= maxProperties, {
    message: `must have at most ${maxProperties} keys`,
  });
}

export const mockTenantBlock = bounded(z.looseObject(shape)).meta({
  description: 'The mock provider: in memory, for tests and demos. It takes any key; these have an effect.',
  maxProperties,
  'x-kubernetes-preserve-unknown-fields': true,
});
export const mockOperatorBlock = z.looseObject(shape).describe('Enables the mock provider.');
export type MockConfig = z.output<typeof mockTenantBlock>;
export const mockSharedKeys = Object.keys(shape);
