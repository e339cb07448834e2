import { z } from 'zod';
import { withRules } from '../../../../api/rules.ts';
import { applicationListenerArn } from './resource-arns.ts';

/** A rule of a listener, and the target group behind it, that are made for a service, named as Terraform has them. */

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html */
const mostSigns = 128;
const mostValues = 5;

const hostHeader = z
  .string()
  .max(mostSigns)
  .regex(
    /^[a-z0-9*?-]+(\.[a-z0-9*?-]+)+$/,
    'must be a host name in lower case such as shop.example; * and ? stand for other signs',
  );
const pathPattern = z
  .string()
  .min(1)
  .max(mostSigns)
  .regex(
    /^[A-Za-z0-9_.$/~"'@:+&*?-]+$/,
    'must be a path such as /api/*, of letters, digits and _ - . $ / ~ " \' @ : + & * ?',
  );

export const listenerRuleShape = withRules(
  z.strictObject({
    listener_arn: applicationListenerArn.describe('ARN of the listener of an application load balancer.'),
    priority: z
      .int()
      .min(1)
      .max(50_000)
      .describe(
        'Priority of the rule, which no other rule of the listener may have: the lowest one is asked first.',
      ),
    host_header: z
      .array(hostHeader)
      .min(1)
      .max(mostValues)
      .optional()
      .describe('Host names, of which one must be asked for.'),
    path_pattern: z
      .array(pathPattern)
      .min(1)
      .max(mostValues)
      .optional()
      .describe('Paths, of which one must be asked for.'),
  }),
  [
    {
      rule: 'has(self.host_header) || has(self.path_pattern)',
      message: 'needs host_header, path_pattern or both',
      holds: ({ host_header: hosts, path_pattern: paths }) => hosts !== undefined || paths !== undefined,
    },
  ],
)
  .optional()
  .describe(
    'A rule that is made on a listener, in place of target_group_arn: with host_header, path_pattern or both. Changed live.',
  );

const seconds = (least: number, most: number) => z.int().min(least).max(most);

export const targetGroupShape = z
  .strictObject({
    protocol: z
      .enum(['HTTP', 'HTTPS'])
      .optional()
      .describe('What the tasks speak. Another one takes another target group, with a gap. Default: HTTP.'),
    protocol_version: z
      .enum(['HTTP1', 'HTTP2', 'GRPC'])
      .optional()
      .describe('Version of it. Another one takes another target group, with a gap. Default: HTTP1.'),
    deregistration_delay: seconds(0, 3_600)
      .optional()
      .describe('How long a task that leaves gets its requests done, in seconds. Default: 300.'),
    health_check: z
      .strictObject({
        path: z
          .string()
          .max(1_024)
          .regex(/^\/[\x21-\x7e]*$/, 'must be a path such as /healthz')
          .optional()
          .describe('Path that is asked for. Default: /, or /AWS.ALB/healthcheck for GRPC.'),
        port: z
          .int()
          .min(1)
          .max(65_535)
          .optional()
          .describe('Port that is asked. Default: that of the traffic.'),
        matcher: z
          .string()
          .max(64)
          .regex(/^[0-9]{1,3}([,-][0-9]{1,3})*$/, 'must be codes such as 200 or 200-299,301')
          .optional()
          .describe('Codes that are good, of HTTP or GRPC. Default: 200, or 12 for GRPC.'),
        interval: seconds(5, 300).optional().describe('Seconds between two. Default: 30.'),
        timeout: seconds(2, 120).optional().describe('Seconds that an answer may take. Default: 5.'),
        healthy_threshold: seconds(2, 10).optional().describe('Good ones until it is healthy. Default: 5.'),
        unhealthy_threshold: seconds(2, 10).optional().describe('Bad ones until it is not. Default: 2.'),
      })
      .optional()
      .describe('How the load balancer asks the tasks. Changed live.'),
  })
  .optional()
  .describe('The target group that is made for listener_rule.');
