import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import { describeApiserverContract } from './apiserver-contract.ts';

describeApiserverContract('the apiserver in memory', async () => ({
  client: createMemoryApiserver().clientOf('user'),
  namespace: 'team-a',
  close: async () => undefined,
}));
