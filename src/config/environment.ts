import { readFileSync } from 'node:fs';

/** The environment of the process; this folder is the only one that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}

/** The namespace of the pod that this process runs in. */
export function podNamespace(): string {
  try {
    return readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8').trim();
  } catch {
    throw new Error('leader_election.namespace: is required outside of a cluster');
  }
}
