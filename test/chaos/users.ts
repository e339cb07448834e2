import { apiVersion, plural } from '../../src/api/names.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import { manifestOf } from './workload.ts';
import type { Wanted, Workload } from './workload.ts';

/** Users with kubectl, who try again where the apiserver does not answer. */
export interface Users {
  /** `kubectl apply` of what is wanted now, or `kubectl delete` where it no longer is. Later, where nobody answers. */
  send(name: string): Promise<void>;
  /** One of those that nobody has taken. */
  resend(): Promise<void>;
  unsent(): number;
}

const timeoutMs = 5_000;

export interface UsersOptions {
  readonly kubeconfigPath: string;
  readonly namespace: string;
  readonly workload: Workload;
  readonly imageOf: (tag: string) => string;
}

export function usersOf({ kubeconfigPath, namespace, workload, imageOf }: UsersOptions): Users {
  const collection = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
  const unsent = new Set<string>();
  const request = async (name: string, wanted: Wanted | undefined): Promise<number> => {
    const path = `${collection}/${name}`;
    const answer =
      wanted === undefined
        ? await kubeRequest(kubeconfigPath, { method: 'DELETE', path, timeoutMs })
        : await kubeRequest(kubeconfigPath, {
            method: 'PATCH',
            path: `${path}?fieldManager=chaos&force=true`,
            contentType: 'application/apply-patch+yaml',
            body: manifestOf(wanted, imageOf),
            timeoutMs,
          });
    const { status, body } = answer;
    const isRefusal = status >= 400 && status < 500 && ![404, 409, 429].includes(status);
    // Of a manifest that is not as the schema says, too, it answers 500.
    if (isRefusal || (status === 500 && JSON.stringify(body).includes('typed patch')))
      throw new Refused(`the apiserver refuses ${name}: ${JSON.stringify(body)}`);
    return status;
  };
  const send = async (name: string): Promise<void> => {
    unsent.add(name);
    const wanted = workload.get(name);
    try {
      const status = await request(name, wanted);
      const isTaken = status < 300 || (wanted === undefined && status === 404);
      if (isTaken && workload.get(name) === wanted) unsent.delete(name);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
  };
  return {
    send,
    resend: async () => {
      const [name] = unsent;
      if (name === undefined) return;
      // The others get their turn where this one fails again.
      unsent.delete(name);
      await send(name);
    },
    unsent: () => unsent.size,
  };
}

class Refused extends Error {}
