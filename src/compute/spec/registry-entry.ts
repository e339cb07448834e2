import { z } from 'zod';

/** An entry of the operator's `registries`. */
export const registryCredential = z
  .strictObject({
    username: z.string().min(1).describe('User name.'),
    password: z.string().min(1).optional().describe('Password or token. Better: password_file.'),
    password_file: z.string().min(1).optional().describe('File that holds the password; read at each pull.'),
    namespaces: z
      .array(z.string().min(1))
      .optional()
      .describe(
        'Namespaces whose tenants pull with it. Left out: all of them. Others may, where policy.docker.allowed_registries ' +
          'has its key for them.',
      ),
  })
  .refine(({ password, password_file }) => (password === undefined) !== (password_file === undefined), {
    path: ['password_file'],
    message: 'exactly one of password and password_file is required',
  });
