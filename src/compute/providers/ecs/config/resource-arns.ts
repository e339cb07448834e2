import { z } from 'zod';

/** ARNs of what a service reaches. Which of them a tenant may name is for the policy to say. */

/** A name of 255 characters, or a role with a path of 512, and what stands before it. */
export const arnLength = 640;

export const roleArn = z
  .string()
  .max(arnLength)
  .regex(
    /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\x21-\x7e]+$/,
    'must be a role ARN such as arn:aws:iam::123456789012:role/NAME',
  );

export const targetGroupArn = arn(
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup\/[\w/.-]+$/,
  'must be a target group ARN such as arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/NAME/ID',
);
export const listenerArn = arn(
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener[\w/.-]+$/,
  'must be the ARN of a listener, or of a rule of one',
);
export const applicationListenerArn = arn(
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener\/app\/[A-Za-z0-9-]+\/[0-9a-z]+\/[0-9a-z]+$/,
  'must be the ARN of a listener of an application load balancer such as arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/NAME/ID/ID',
);
export const registryArn = arn(
  /^arn:aws[a-z-]*:servicediscovery:[a-z0-9-]+:[0-9]{12}:service\/[\w/.-]+$/,
  'must be the ARN of a Cloud Map service such as arn:aws:servicediscovery:us-west-2:123456789012:service/srv-1',
);
export const latticeTargetGroupArn = arn(
  /^arn:aws[a-z-]*:vpc-lattice:[a-z0-9-]+:[0-9]{12}:targetgroup\/[\w/.-]+$/,
  'must be the ARN of a VPC Lattice target group such as arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-1',
);

function arn(pattern: RegExp, message: string) {
  return z.string().max(arnLength).regex(pattern, message);
}
