import type { CreateProvider } from '../../provider.ts';

export declare const createDockerProvider: CreateProvider;
