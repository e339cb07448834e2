import { z } from 'zod';
import { quantity } from './quantity-field.ts';
import { listMap, withRules } from './rules.ts';

/** What a container's process is given and how it is ended, in words that every engine has. No transforms: see compute-fields.ts. */

/** A day: whoever asks for more has mistaken the unit. */
export const longestStopGraceSeconds = 86_400;

const absolutePath = z
  .string()
  .max(1024)
  .regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path');

const account = z
  .string()
  .max(128)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/,
    'must be USER, UID, USER:GROUP or UID:GID',
  );

const signal = z
  .string()
  .max(16)
  .regex(
    /^SIG(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ|RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)$/,
    'must be the name of a signal, such as SIGTERM or SIGRTMIN+3',
  );

const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/, 'must be a host name');

/** Of the form of one; the engine has the last word. */
export const ipAddress = z
  .string()
  .max(45)
  .regex(/^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7})$/, 'must be an IP address');

const ipAddressOrHost = z
  .string()
  .max(45)
  .regex(
    /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}|host-gateway)$/,
    'must be an IP address, or host-gateway',
  );

/**
 * By the names that engines have for them; without those that give rights over the host's time (`nice`, `rtprio`) or over
 * memory of the kernel that no limit of a container counts.
 */
const limitName = z.enum([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'nofile',
  'nproc',
  'rss',
  'stack',
]);

/** As a number of 32 bits, which is the most that every engine takes; -1: none. */
const limitValue = z.int().min(-1).max(2_147_483_647);

const ulimit = withRules(
  z.strictObject({
    name: limitName.describe('Which limit.'),
    soft: limitValue.describe('What holds until the process asks for more. -1: no limit.'),
    hard: limitValue.describe('The most that it may ask for. -1: no limit.'),
  }),
  [
    {
      rule: 'self.hard == -1 || (self.soft != -1 && self.soft <= self.hard)',
      message: 'soft must not exceed hard',
      fieldPath: '.soft',
      holds: ({ soft, hard }) => hard === -1 || (soft !== -1 && soft <= hard),
    },
  ],
);

const extraHost = z.strictObject({
  hostname: hostName.describe('Name that the container finds.'),
  ip: ipAddressOrHost.describe(
    'Address that it stands for; host-gateway: that of the host, on Docker alone.',
  ),
});

export const processFields = {
  workingDir: absolutePath.optional().describe("Directory that it begins in, instead of the image's."),
  user: account
    .optional()
    .describe(
      "User, and group, that it runs as: `1000`, `1000:1000`, `app` or `app:app`. Default: the image's.",
    ),
  stopSignal: signal
    .optional()
    .describe("Signal that asks it to end. Default: the image's, else SIGTERM. ECS knows the image's alone."),
  stopGracePeriodSeconds: z
    .int()
    .min(0)
    .max(longestStopGraceSeconds)
    .optional()
    .describe(
      'Seconds between that signal and SIGKILL. Default: 10 on Docker, 30 on ECS, where it is at most 120.',
    ),
  init: z
    .boolean()
    .optional()
    .describe(
      "true: the engine's small init is process 1; it passes signals on and reaps what is left over. Default: false.",
    ),
  hostname: hostName
    .max(63)
    .optional()
    .describe(
      'Host name that it has for itself. Not with a network that is not its own; on ECS not with awsvpc.',
    ),
  readOnlyRootFilesystem: z
    .boolean()
    .optional()
    .describe('true: it can write to its volumes alone. Default: false.'),
  tty: z.boolean().optional().describe('true: it has a terminal. Default: false.'),
  stdin: z.boolean().optional().describe('true: its standard input stays open. Default: false.'),
  shmSize: quantity
    .optional()
    .describe('Size of /dev/shm, in bytes, such as 256Mi. Default: 64Mi. On ECS not on Fargate.'),
  ulimits: listMap(z.array(ulimit).max(limitName.options.length), ['name'])
    .optional()
    .describe('Limits of its processes. On Fargate only nofile.'),
  extraHosts: listMap(z.array(extraHost).max(64), ['hostname'])
    .optional()
    .describe('Entries of its /etc/hosts besides. On ECS not with awsvpc.'),
  dns: z
    .array(ipAddress)
    .max(3)
    .optional()
    .describe('DNS servers that it asks for what the engine does not know itself. On ECS not with awsvpc.'),
} as const;
