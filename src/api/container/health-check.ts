import { z } from 'zod';
import { processText } from '../bounded.ts';
import { listMap, withRules } from '../rules.ts';

/** How the engine finds out whether a container is healthy. No transforms: see compute-fields.ts. */

/** A day: whoever asks for more has mistaken the unit. */
const longestSeconds = 86_400;

/** A millisecond: engines take no shorter times. */
const shortestSeconds = 0.001;

const seconds = z.number().min(shortestSeconds).max(longestSeconds);

/** Of whole numbers, the apiserver takes the bound for a whole one, too, which is 0. */
const boundsOfTimes = (['intervalSeconds', 'timeoutSeconds', 'startIntervalSeconds'] as const).map(
  (field) => ({
    rule: `!has(self.${field}) || self.${field} >= ${shortestSeconds}`,
    message: `must be at least ${shortestSeconds}`,
    fieldPath: `.${field}`,
  }),
);

const ways = ['command', 'shell', 'httpGet', 'tcpSocket'] as const;

/** Of a CEL rule: how many of them there are. */
const countOfWays = [
  ...ways.map((way) => `(has(self.${way}) ? 1 : 0)`),
  '(has(self.disable) && self.disable ? 1 : 0)',
];

const port = z.int().min(1).max(65_535).describe('Number of a port that it listens on at 127.0.0.1.');

/** As a request has them, so that nothing in them can end a line. */
const httpHeader = z.strictObject({
  name: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9!#$%&'*+.^_|~-]+$/, 'must be the name of a header')
    .describe('Name of the header; of its own only Host, User-Agent, Accept and Connection.'),
  value: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line')
    .describe('Its value.'),
});

const httpGet = z
  .strictObject({
    port,
    path: z
      .string()
      .max(1024)
      .regex(/^\/[!-~]*$/, 'must begin with a slash, and be as it goes into a request')
      .optional()
      .describe('Path and query. Default: /.'),
    httpHeaders: listMap(z.array(httpHeader).max(16), ['name'])
      .optional()
      .describe('Headers of the request.'),
  })
  .describe(
    'It is asked over HTTP, without TLS, from inside; an answer with a status of 200 to 399 means healthy. Nothing in its image is needed. Not on ECS.',
  );

const tcpSocket = z
  .strictObject({ port })
  .describe(
    'It is connected to over TCP, from inside; a connection means healthy. Nothing in its image is needed. Not on ECS.',
  );

export const healthCheck = withRules(
  z.strictObject({
    command: z
      .array(processText.min(1))
      .min(1)
      .max(64)
      .optional()
      .describe('Command and arguments run inside the container; exit code 0 means healthy. No shell.'),
    shell: processText
      .min(1)
      .optional()
      .describe("Command line for the image's /bin/sh, inside the container; exit code 0 means healthy."),
    httpGet: httpGet.optional(),
    tcpSocket: tcpSocket.optional(),
    disable: z
      .boolean()
      .optional()
      .describe('true: nothing is checked, not even by the health check of the image.'),
    intervalSeconds: seconds.optional().describe('Seconds between two checks. Default: 10.'),
    timeoutSeconds: seconds
      .optional()
      .describe('Seconds after which a check has failed. Default: 3, or the interval if shorter.'),
    retries: z
      .int()
      .min(1)
      .max(2_147_483_647)
      .optional()
      .describe('Failures in a row that make the container unhealthy. Default: 3.'),
    startPeriodSeconds: z
      .number()
      .min(0)
      .max(longestSeconds)
      .optional()
      .describe('Seconds after the start during which failures do not count. Default: 0.'),
    startIntervalSeconds: seconds
      .optional()
      .describe(
        "Seconds between two checks during these. Default: the engine's. Docker has it from 25.0 on, ECS has none.",
      ),
  }),
  [
    {
      rule: `${countOfWays.join(' + ')} == 1`,
      message: 'must have exactly one of command, shell, httpGet, tcpSocket and disable: true',
      holds: (check) =>
        ways.filter((way) => check[way] !== undefined).length + (check.disable === true ? 1 : 0) === 1,
    },
    ...boundsOfTimes,
  ],
);

export type HealthCheck = z.output<typeof healthCheck>;

export interface CheckFigures {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly startPeriodSeconds: number;
}

/** All figures of a check, be they said or not. */
export function checkFigures(check: HealthCheck): CheckFigures {
  const { intervalSeconds = 10, retries = 3, startPeriodSeconds = 0 } = check;
  const { timeoutSeconds = Math.min(3, intervalSeconds) } = check;
  return { intervalSeconds, timeoutSeconds, retries, startPeriodSeconds };
}

/**
 * What is hashed of a check. What is not said is the same as in so many words, but for the timeout: so it was while the
 * figures had defaults in the CRD.
 */
export function hashedCheck(check: HealthCheck | undefined): object | undefined {
  if (check === undefined) return undefined;
  if (check.disable === true) return { disable: true };
  const { disable: _none, timeoutSeconds, ...said } = check;
  return { ...said, ...checkFigures(check), timeoutSeconds };
}
