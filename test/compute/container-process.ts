import type { ContainerSpec, VolumeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';

/** All that a container may say of its process, each otherwise than where it says nothing. */
export const containerProcess = {
  workingDir: '/srv',
  user: '1000:1000',
  stopSignal: 'SIGINT',
  stopGracePeriodSeconds: 60,
  init: true,
  hostname: 'web',
  readOnlyRootFilesystem: true,
  tty: true,
  stdin: true,
  shmSize: '256Mi',
  ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }],
  extraHosts: [{ hostname: 'db', ip: '10.0.0.1' }],
  dns: ['10.0.0.2'],
  capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
  sysctls: [{ name: 'net.core.somaxconn', value: '1024' }],
  volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
  platform: 'linux/amd64',
} satisfies Partial<ContainerSpec>;

/** The same of how it begins and ends. */
export const containerLifecycle = {
  dependsOn: [{ container: 'db', condition: 'Healthy' }],
  restartPolicy: 'OnFailure',
  essential: false,
} satisfies Partial<ContainerSpec>;

/** What it mounts. */
export const processVolumes: readonly VolumeSpec[] = [{ name: 'scratch', kind: 'tmpfs', size: '16Mi' }];
