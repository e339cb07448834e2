import { z } from 'zod';
import { arnLength } from './resource-arns.ts';

/** How many tasks Application Auto Scaling runs, and what it goes by. */

/** None have no metrics by which there would be one again. */
const count = z.int().min(1).max(5_000);
const percent = z.int().min(1).max(100);

export const autoscalingShape = z
  .strictObject({
    min: count.optional().describe('Fewest tasks. Default: 1.'),
    max: count.optional().describe('Most tasks. Required, here or in the operator config.'),
    cpu: percent.optional().describe('Average CPU of the tasks to keep to, in percent of what they reserve.'),
    memory: percent
      .optional()
      .describe('Average memory of the tasks to keep to, in percent of what they reserve.'),
    requests: z
      .strictObject({
        per_task: z
          .int()
          .min(1)
          .max(1_000_000)
          .describe('Requests a minute that each task is to get on the average.'),
        load_balancer_arn: z
          .string()
          .max(arnLength)
          .regex(
            /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer\/app\/[A-Za-z0-9-]+\/[0-9a-f]+$/,
            'must be the ARN of an application load balancer such as arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/NAME/ID',
          )
          .describe(
            'ARN of the application load balancer that has the first target group of load_balancers.',
          ),
      })
      .optional()
      .describe('Requests by a load balancer to keep to.'),
  })
  .optional()
  .describe(
    'A scalable target of Application Auto Scaling, and a policy for each of cpu, memory and requests. The count is its own from ' +
      'then on: replicas and desired_count only begin it. Changed live.',
  );
