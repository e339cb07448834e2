import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { kubeRequest } from '../../dev/kube-request.ts';

const path = '/api/v1/namespaces/landlord-system/serviceaccounts/landlord/token';

/** A kubeconfig of the operator as its pod has it: with a token of its service account, which ends with that account. */
export async function operatorKubeconfig({ dir, kubeconfigPath }: ControlPlane): Promise<string> {
  const { status, body } = await kubeRequest(kubeconfigPath, {
    method: 'POST',
    path,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3_600 },
    },
  });
  if (status >= 300) throw new Error(`there is no token: ${JSON.stringify(body)}`);
  const { token } = (body as { status: { token: string } }).status;
  const config = parse(await readFile(kubeconfigPath, 'utf8')) as {
    users: { name: string; user: unknown }[];
  };
  const users = config.users.map(({ name }) => ({ name, user: { token } }));
  const file = join(dir, `service-account-${token.slice(-8)}.kubeconfig`);
  await writeFile(file, stringify({ ...config, users }), { mode: 0o600 });
  return file;
}
