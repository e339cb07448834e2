/** `npm run audit`: known faults of what the operator is built from. A registry that does not answer ends nothing. */
import { execFile } from 'node:child_process';
import { auditVerdict } from './audit-verdict.ts';

// It exits with 1 for a finding as for a registry that does not answer: what it prints tells the two apart.
execFile('npm', ['audit', '--omit=dev', '--json'], { maxBuffer: 64e6 }, (_error, stdout) => {
  const { message, isClean } = auditVerdict(stdout);
  console.log(message);
  if (!isClean) process.exitCode = 1;
});
