import { readFileSync } from 'node:fs';

/** The environment of the process; this folder is the only one that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}

/** The namespace of the pod that this process runs in. Throws outside of a cluster. */
export function podNamespace(): string {
  const namespace = ownNamespace();
  if (namespace === undefined) throw new Error('leader_election.namespace: is required outside of a cluster');
  return namespace;
}

/** The same; undefined outside of a cluster. */
export function ownNamespace(): string | undefined {
  try {
    return readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8').trim();
  } catch {
    return undefined;
  }
}
