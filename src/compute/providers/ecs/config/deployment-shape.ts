import { z } from 'zod';

/** How a service goes from one revision to the next. */

const percent = (least: number) => z.int().min(least).max(100);
const minutes = z.int().min(0).max(1_440);
const whether = z.boolean().optional();

export const deploymentShape = z
  .strictObject({
    minimum_healthy_percent: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'How much of the count keeps running meanwhile. With 0 all may stop before the first new one runs: a gap. Default: 100; of DAEMON 0.',
      ),
    maximum_percent: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .describe('How much of the count may run meanwhile, old and new. Default: 200; of DAEMON 100.'),
    circuit_breaker: z
      .strictObject({
        enable: whether.describe('Whether a rollout that does not come up is given up. Default: true.'),
        rollback: whether.describe('Whether ECS then goes back to what ran before. Default: true.'),
      })
      .optional()
      .describe('What becomes of a rollout that does not come up.'),
    alarms: z
      .strictObject({
        alarm_names: z.array(z.string().min(1).max(255)).min(1).max(10).describe('Names of the alarms.'),
        enable: whether.describe('Whether they count. Default: true.'),
        rollback: whether.describe('Whether ECS then goes back to what ran before. Default: true.'),
      })
      .optional()
      .describe('CloudWatch alarms that end a rollout.'),
    strategy: z
      .enum(['ROLLING', 'BLUE_GREEN', 'LINEAR', 'CANARY'])
      .optional()
      .describe('How traffic goes from old to new tasks. Default: ROLLING.'),
    bake_time_in_minutes: minutes
      .optional()
      .describe('How long the old tasks stay once the new ones have all traffic. Default: 0.'),
    canary_configuration: z
      .strictObject({
        canary_percent: percent(1).optional().describe('How much of the traffic comes first.'),
        canary_bake_time_in_minutes: minutes.optional().describe('How long before the rest follows.'),
      })
      .optional()
      .describe('Of the strategy CANARY.'),
    linear_configuration: z
      .strictObject({
        step_percent: percent(3).optional().describe('How much of the traffic comes with each step.'),
        step_bake_time_in_minutes: minutes.optional().describe('How long before the next step.'),
      })
      .optional()
      .describe('Of the strategy LINEAR.'),
  })
  .optional()
  .describe('How a new revision takes over from the one before.');
