export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Reads return the metadata alone (`PartialObjectMetadata`): a fraction of the bytes and of the memory. */
  readonly metadataOnly?: boolean;
}

/** Where a type's objects are, from the root of the API. */
export interface ResourcePaths {
  /** All of a namespace, or of the cluster where that is absent. */
  collection(namespace: string | undefined): string;
  /** Throws a TypeError where the name is empty, or the namespace of a namespaced type is missing. */
  object(name: string, namespace: string | undefined): string;
}

export function resourcePaths({ group, version, plural, namespaced }: ResourceType): ResourcePaths {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

  function collection(namespace: string | undefined): string {
    if (!namespace) return `${root}/${plural}`;
    return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  }

  return {
    collection,
    object(name, namespace) {
      if (namespaced && !namespace) throw new TypeError(`${plural} ${name}: a namespace is needed`);
      // An empty name would make the path that of the whole collection.
      if (!name) throw new TypeError(`${plural}: a name is needed`);
      return `${collection(namespace)}/${encodeURIComponent(name)}`;
    },
  };
}
