import { createHash, createHmac } from 'node:crypto';

/** Who asks, of which of an endpoint's services. */
export interface QueryTarget {
  readonly url: string;
  /** `ec2`, `iam` or `sts`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const versions: Readonly<Record<string, string>> = {
  ec2: '2016-11-15',
  iam: '2010-05-08',
  sts: '2011-06-15',
};

/**
 * Calls a service that speaks AWS' query protocol; returns the XML. By hand, for of all SDKs only those that Landlord
 * itself needs are among its dependencies. Rejects with what it answered where it refused.
 */
export async function callQueryApi(
  target: QueryTarget,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<string> {
  const version = versions[target.service] ?? '';
  const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
  const response = await fetch(target.url, { method: 'POST', headers: signed(target, body), body });
  const text = await response.text();
  if (response.ok) return text;
  throw new Error(`the endpoint answered ${action} with HTTP ${response.status}: ${text.slice(0, 500)}`);
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signed(target: QueryTarget, body: string): Record<string, string> {
  const { service, region, credentials } = target;
  const time = new Date().toISOString().replaceAll(/[:-]|\.\d+/g, '');
  const date = time.slice(0, 8);
  const type = 'application/x-www-form-urlencoded';
  const { host } = new URL(target.url);
  const names = 'content-type;host;x-amz-date';
  const canonical = `POST\n/\n\ncontent-type:${type}\nhost:${host}\nx-amz-date:${time}\n\n${names}\n${sha256(body)}`;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key)
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
    .digest('hex');
  return {
    'content-type': type,
    'x-amz-date': time,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
