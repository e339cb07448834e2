/** `text` as the repository of an image. Throws where it has a tag or a digest: the tag is the version that is released. */
export function repositoryOf(text: string): string {
  const isRepository = /^[a-z0-9][a-z0-9._-]*(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]*)*$/.test(text);
  const last = text.slice(text.lastIndexOf('/') + 1);
  if (isRepository && !last.includes(':')) return text;
  throw new Error(
    `--image ${text}: must be a repository such as registry.example/landlord, without a tag or digest: the tag is the version`,
  );
}
