import { createTestNamespace } from '../cluster/test-namespace.ts';
import { describeApiserverContract } from './apiserver-contract.ts';

describeApiserverContract('kube-apiserver', async () => {
  const ns = await createTestNamespace('contract');
  return { client: ns.client, namespace: ns.name, close: () => ns.remove() };
});
