/** Where the build puts what is run and served: beside this program, or in development what was built last. */
export const distDirectory = (): URL => new URL(import.meta.url.endsWith('.ts') ? '../dist/' : './', import.meta.url)
