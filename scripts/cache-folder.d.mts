/** A folder of that name in the cache, made if it is not there. */
export function cacheFolder(name: string): string;
