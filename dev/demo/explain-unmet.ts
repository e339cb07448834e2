import type { Stage } from './stage.ts';
import type { Unmet } from './step.ts';

const logLines = 15;

/** What was expected, what was seen, and what can be known about why. */
export async function explainUnmet(stage: Stage, unmet: Unmet): Promise<string> {
  const status = stage.fleet.get(unmet.tenant)?.status;
  const conditions = (status?.conditions ?? []).map(
    ({ type, status, reason, message }) => `  ${type}=${status} ${reason}: ${message}`,
  );
  return [
    'This did not come true.',
    `expected: ${unmet.expected}`,
    `seen:     ${unmet.message}`,
    ...(unmet.tenant === ''
      ? []
      : [`Tenant ${unmet.tenant} was ${stage.fleet.history(unmet.tenant).join(' -> ')}`]),
    ...(conditions.length === 0 ? [] : [`conditions of ${unmet.tenant}:`, ...conditions]),
    ...(status?.compute === undefined ? [] : [`status.compute: ${JSON.stringify(status.compute)}`]),
    `the operator's last log lines (${stage.operator.logFile}):`,
    ...(await stage.operator.lastLogLines(logLines)).split('\n').map((line) => `  ${line}`),
  ].join('\n     ');
}
