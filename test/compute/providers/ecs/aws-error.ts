interface AwsErrorParts {
  readonly message?: string;
  readonly status?: number | undefined;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as the AWS SDK throws it; without a status no answer came. */
export function awsError(name: string, { message = '', status, code, headers }: AwsErrorParts = {}): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { ...(status !== undefined && { httpStatusCode: status }) },
    ...(code !== undefined && { code }),
    ...(headers !== undefined && { $response: { headers } }),
  });
}
