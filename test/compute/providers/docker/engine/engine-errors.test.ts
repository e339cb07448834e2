import { describe, expect, test } from 'vitest';
import {
  connectionFailure,
  engineTrouble,
  failedRead,
  refusal,
  stableEngineText,
} from '../../../../../src/compute/providers/docker/engine/engine-errors.ts';

const host = 'unix:///run/docker.sock';
const id = 'e9a96493a92b205471d862f7fa915fb45632e8156b7def84138578c23a71c15f';

describe('an engine that can not be reached is told by its cause, its address and the mend', () => {
  test.each([
    [
      'ECONNREFUSED',
      'ProviderUnavailable',
      /unix:\/\/\/run\/docker\.sock does not answer \(ECONNREFUSED\): is dockerd running\?/,
    ],
    ['ENOENT', 'ProviderUnavailable', /no such socket; is dockerd running/],
    ['EACCES', 'AccessDenied', /refuses access \(EACCES\).*group/],
    ['EPERM', 'AccessDenied', /refuses access/],
    ['ENOTFOUND', 'ProviderUnavailable', /can't be resolved/],
    ['ETIMEDOUT', 'ProviderUnavailable', /is the host up/],
    ['EAI_AGAIN', 'ProviderUnavailable', /can't be resolved/],
    ['EHOSTUNREACH', 'ProviderUnavailable', /is the host up/],
    ['ENETUNREACH', 'ProviderUnavailable', /is the host up/],
    ['ECONNABORTED', 'ProviderUnavailable', /did dockerd die or restart\?/],
    ['ERR_STREAM_PREMATURE_CLOSE', 'ProviderUnavailable', /did dockerd die or restart\?/],
    ['EPROTO', 'ProviderUnavailable', /TLS failed \(EPROTO\)/],
    ['ECONNRESET', 'ProviderUnavailable', /did dockerd die or restart\?/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ProviderUnavailable', /TLS failed.*tls in compute.docker/],
    ['HPE_INVALID_CONSTANT', 'ProviderUnavailable', /does it want TLS/],
    ['ESSH', 'ProviderUnavailable', /can't be reached: it broke/],
  ])('%s', (code, expected, message) => {
    const error = connectionFailure(host, Object.assign(new Error('it broke'), { code }));
    expect(error.code).toBe(expected);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(host);
  });

  test.each([
    ['a text', 'it broke', "Docker Engine at unix:///run/docker.sock can't be reached: it broke"],
    [
      'an error without a code',
      new Error('it broke'),
      "Docker Engine at unix:///run/docker.sock can't be reached: it broke",
    ],
    [
      'a code that is no word',
      Object.assign(new Error('it broke'), { code: 5 }),
      "Docker Engine at unix:///run/docker.sock can't be reached: it broke",
    ],
    [
      'a code that no error bears',
      { code: 'ENOENT' },
      "Docker Engine at unix:///run/docker.sock can't be reached: [object Object]",
    ],
    [
      'an answer that is no JSON',
      new SyntaxError('Unexpected token'),
      'What answers at unix:///run/docker.sock is no Docker Engine: is its host in compute.docker right?',
    ],
  ])('%s', (_what, thrown, message) => {
    expect(connectionFailure(host, thrown)).toMatchObject({ code: 'ProviderUnavailable', message });
  });

  test('a broken connection reads the same, whether the write or the read failed', () => {
    const [reset, pipe] = ['ECONNRESET', 'EPIPE'].map((code) =>
      connectionFailure(host, Object.assign(new Error(code), { code })),
    );
    expect(pipe?.message).toBe(reset?.message);
  });
});

/** Word for word from Docker Engine 20.10.24. */
describe('a refusal is told by its kind', () => {
  test.each([
    [
      'start',
      500,
      `driver failed programming external connectivity on endpoint xb (${id}): Bind for 127.0.0.1:18765 failed: port is already allocated`,
      'port-busy',
    ],
    [
      'start',
      500,
      `driver failed programming external connectivity on endpoint xc (${id}): Error starting userland proxy: listen tcp4 127.0.0.1:18766: bind: address already in use`,
      'port-busy',
    ],
    [
      'start',
      400,
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown',
      'bad-command',
    ],
    [
      'start',
      400,
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
      'bad-command',
    ],
    [
      'start',
      400,
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin": permission denied: unknown',
      'bad-command',
    ],
    [
      'start',
      500,
      'failed to create shim task: OCI runtime create failed: container_linux.go: mounting cgroup failed: unknown',
      'other',
    ],
    ['start', 409, 'failed to create task for container: task target: already exists: unknown', 'broken'],
    ['start', 500, 'failed to create shim task: OCI runtime create failed: task: already exists', 'broken'],
    [
      'start',
      500,
      'failed to update store for object type *libnetwork.endpointCnt: Key not found in store',
      'broken',
    ],
    ['start', 500, 'RWLayer of container target is unexpectedly nil', 'broken'],
    ['start', 500, 'unable to find user nobody2: no matching entries in passwd file', 'bad-command'],
    [
      'start',
      500,
      'failed to set up container networking: no available IPv4 addresses on this network',
      'other',
    ],
    [
      'start',
      500,
      'Unable to enable DNAT rule: (iptables failed: iptables --wait -t nat: No chain)',
      'other',
    ],
    ['start', 404, 'network nonet not found', 'missing-network'],
    ['start', 404, 'No such container: nonet', 'missing-network'],
    ['start', 404, 'No such container: target', 'gone'],
    ['start', 409, 'cannot start a paused container, try unpause instead', 'other'],
    ['create', 404, 'No such image: nope:1', 'missing-image'],
    [
      'create',
      500,
      'json: cannot unmarshal number into Go struct field ContainerConfigWrapper.Image of type string',
      'invalid',
    ],
    ['create', 400, 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available', 'invalid'],
    ['create', 500, 'invalid mode: zz', 'invalid'],
    ['network', 403, 'Pool overlaps with other one on this address space', 'overlap'],
    ['network', 409, 'network with name landlord-task already exists', 'name-taken'],
    [
      'network',
      403,
      `cannot create network ${id} (br-a): conflicts with network ${id} (br-b): networks have overlapping IPv4`,
      'overlap',
    ],
    [
      'network',
      404,
      'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
      'other',
    ],
    ['network', 403, `error while removing network: network n2 id ${id} has active endpoints`, 'in-use'],
    ['network', 400, 'network n1 is ambiguous (2 matches found based on name)', 'invalid'],
    ['volume', 409, `remove vv: volume is in use - [${id}]`, 'in-use'],
    [
      'remove',
      409,
      `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
      'other',
    ],
    ['kill', 409, `Cannot kill container: xa: Container ${id} is not running`, 'other'],
  ])('%s %i %s', (_verb, status, text, kind) => {
    const error = refusal({ status, text }, 'target');
    expect(error.kind).toBe(kind);
    expect(error.statusCode).toBe(status);
    expect(error.message).not.toContain(id);
    expect(engineTrouble(host, { status, text })).toBeUndefined();
  });
});

describe('trouble of the engine itself is no refusal', () => {
  test.each([
    [401, 'unauthorized', 'AccessDenied'],
    [403, 'authorization denied by plugin opa: no', 'AccessDenied'],
    [429, 'slow down', 'Throttled'],
    [503, 'starting', 'ProviderUnavailable'],
    [
      500,
      'connection error: desc = "transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused"',
      'ProviderUnavailable',
    ],
  ])('%i %s', (status, text, code) => {
    expect(engineTrouble(host, { status, text })?.code).toBe(code);
  });

  test('a read that fails for any other reason counts as the engine being unavailable', () => {
    expect(failedRead(host, { status: 500, text: 'boom' })).toMatchObject({
      code: 'ProviderUnavailable',
      message: `Docker Engine at ${host} answered 500: boom`,
    });
  });
});

describe('messages are the same at the next try and hold no secret', () => {
  test.each([
    [
      'ports of this end',
      'read tcp 10.0.0.1:41234->10.0.0.2:5000: read: connection reset by peer',
      'read tcp 10.0.0.2:5000: read: connection reset by peer',
    ],
    ['endpoint ids', `on endpoint web (${id}): failed`, 'on endpoint web: failed'],
    [
      'container ids',
      `The name "/web" is already in use by container "${id}". You`,
      'The name "/web" is already in use by container. You',
    ],
    [
      'figures that live',
      'unable to set memory limit to 6291456 (current usage: 63488000, peak usage: 64532480)',
      'unable to set memory limit to 6291456 (current usage: …, peak usage: …)',
    ],
    ['processes', 'setns /proc/4711/ns/net: pid 4711 is gone', 'setns /proc/…/ns/net: pid … is gone'],
    [
      'the ends of connections to networks',
      'failed to create endpoint web on network x: adding interface vethb73ace9 to bridge br0 failed: exchange full',
      'failed to create endpoint web on network x: adding interface veth… to bridge br0 failed: exchange full',
    ],
    ['lists of ids', `volume is in use - [${id}]`, 'volume is in use'],
    [
      'queries of URLs',
      'Get "https://auth.example/token?account=bob&signature=s3cret": EOF',
      'Get "https://auth.example/token": EOF',
    ],
    [
      'credentials in URLs',
      'Get "https://bob:s3cret@registry.example/v2/": EOF',
      'Get "https://registry.example/v2/": EOF',
    ],
  ])('%s go', (_what, text, expected) => {
    expect(stableEngineText(text)).toBe(expected);
  });

  test('digests of images stay', () => {
    expect(stableEngineText(`app@sha256:${id} not found`)).toBe(`app@sha256:${id} not found`);
  });
});
