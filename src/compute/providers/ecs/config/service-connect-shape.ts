import { z } from 'zod';
import { stringMap } from '../../../../api/rules.ts';

/** Names by which services of a namespace reach each other. */

const seconds = z.int().min(0).max(2_147_483_647).optional();
const optionKey = {
  pattern: /^[A-Za-z0-9_.-]+$/,
  maxLength: 64,
  message: 'must be 1 to 64 letters, digits, "_", "." or "-"',
};
const port = z.int().min(1).max(65_535);

const service = z.strictObject({
  port_name: z.string().min(1).max(64).describe('Name of the port that is reached.'),
  discovery_name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9_][a-z0-9_-]*$/, 'must be lower case letters, digits, "-" or "_"')
    .optional()
    .describe('Name of it in the namespace. Default: port_name.'),
  client_aliases: z
    .array(
      z.strictObject({
        port: port.describe('Port by which others reach it.'),
        dns_name: z.string().min(1).max(127).optional().describe('Name by which others reach it.'),
      }),
    )
    .max(1)
    .optional()
    .describe('Name and port by which others reach it.'),
  ingress_port_override: port.optional().describe('Port that its proxy listens on.'),
  timeout: z
    .strictObject({
      idle_timeout_seconds: seconds.describe('How long a connection may be idle.'),
      per_request_timeout_seconds: seconds.describe('How long an answer may take.'),
    })
    .optional()
    .describe('What its proxy waits for.'),
});

export const serviceConnectShape = z
  .strictObject({
    enabled: z.boolean().describe('Whether the tasks take part.'),
    namespace: z
      .string()
      .min(1)
      .max(640)
      .optional()
      .describe("Name or ARN of the Cloud Map namespace. Default: the cluster's."),
    services: z.array(service).max(10).optional().describe('Ports that others reach.'),
    log_configuration: z
      .strictObject({
        log_driver: z
          .enum(['awslogs', 'awsfirelens', 'fluentd', 'gelf', 'json-file', 'splunk', 'syslog'])
          .describe('Log driver.'),
        options: stringMap(optionKey, z.string().max(512), 20).optional().describe('Options of the driver.'),
      })
      .optional()
      .describe('Where the log of the proxy goes.'),
  })
  .optional()
  .describe('ECS Service Connect. Changed by a rollout.');
