import { engineDefault } from './confinement.ts';
import type { Inspected } from '../observed-container.ts';

/** What confines a container, and how a program that it keeps from working complains. */
interface Complaint {
  /** In lower case. */
  readonly words: readonly string[];
  readonly isPossible: (inspected: Pick<Inspected, 'confinement' | 'live'>) => boolean;
  readonly hint: string;
}

const complaints: readonly Complaint[] = [
  {
    words: ['must be suid', 'must be setuid', 'effective uid is not 0', 'no new privileges'],
    isPossible: ({ confinement }) => confinement.newPrivileges === 'true',
    hint: 'it may need no_new_privileges: false, which policy.docker.allow_setuid allows',
  },
  {
    words: ['only run as pid 1', 'must run as pid 1', 'must be run as pid 1', 'not running as pid 1'],
    isPossible: ({ confinement }) => confinement.init === 'true',
    hint: 'it may need to be process 1 itself, without init: true',
  },
  {
    words: [
      'resource temporarily unavailable',
      "can't fork",
      'cannot fork',
      'unable to create native thread',
    ],
    isPossible: ({ live }) => live.pidsLimit > 0,
    hint: 'it may need a higher pids_limit, which policy.docker.allow_unlimited allows beyond 1024',
  },
  {
    words: ['operation not permitted'],
    isPossible: ({ confinement }) => confinement.capabilities !== engineDefault,
    hint: 'it may need a capability by cap_add, which policy.docker.allow_capabilities allows',
  },
];

/**
 * What a container that has failed may have wanted, by the end of its output. None of that output is in it: it may hold
 * anything. Linear in its length.
 */
export function confinementHint(
  output: string,
  inspected: Pick<Inspected, 'confinement' | 'live'>,
): string | undefined {
  const said = output.toLowerCase();
  return complaints.find(
    ({ words, isPossible }) => isPossible(inspected) && words.some((word) => said.includes(word)),
  )?.hint;
}
