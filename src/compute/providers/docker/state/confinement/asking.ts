import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from '../../config.ts';

/** What a tenant's block asks for, what the operator's own gives to all, and what tenants may ask for besides. */
export interface Asking {
  readonly config: DockerConfig;
  readonly block: DockerOperatorBlock;
  readonly policy: DockerPolicy;
}
