/** Returns the output directory of the build: the directory of this program; in development, that of the last build. */
export const distDirectory = (): URL => new URL(import.meta.url.endsWith('.ts') ? '../dist/' : './', import.meta.url)
