import type { ContainerOptions } from './container-options.ts';

/** What a container has by its options, in the engine's words; over those that it has anyway. */
export function optionSettings(
  options: ContainerOptions | undefined,
  { SecurityOpt = [] }: { readonly SecurityOpt?: readonly string[] },
): Readonly<Record<string, unknown>> {
  if (options === undefined) return {};
  const { privileged, devices, gpus, securityOptions, ipcMode, log } = options;
  const settings = {
    Privileged: privileged,
    Devices: devices?.map(({ host, container, rights }) => ({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: rights,
    })),
    DeviceRequests: gpus && [{ Count: gpus, Capabilities: [['gpu']] }],
    SecurityOpt: securityOptions && [...SecurityOpt, ...securityOptions],
    IpcMode: ipcMode,
    LogConfig: log && { Type: log.driver, Config: { ...log.options } },
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
