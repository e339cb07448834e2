/** What the docker command shows as an image's id: whole, or its first 12 digits; with its algorithm, any of them. */
export const imageIdPattern = '^(sha256:[0-9a-f]+|[0-9a-f]{12}[0-9a-f]*)$';

const imageId = new RegExp(imageIdPattern);

/** Whether an engine could take it for an id of whatever image it has, be that another tenant's. */
export function isImageId(text: string): boolean {
  return imageId.test(text);
}
