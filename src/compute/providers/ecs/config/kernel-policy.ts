import { z } from 'zod';
import { capability } from '../../../../api/capabilities.ts';
import { allowedSysctls } from '../../../sysctl-policy.ts';

/** What tenants may ask of the kernel that runs their tasks. */
export const kernelPolicyShape = {
  allow_capabilities: z
    .array(capability)
    .default([])
    .describe(
      "Linux capabilities that tenants may add besides the engine's default ones. Some are as good as root on an instance.",
    ),
  allow_sysctls: allowedSysctls,
};
