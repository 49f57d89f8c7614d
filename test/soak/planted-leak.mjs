// Loaded before anything else into the daemon and everything that it starts. Each new raw log leaks one descriptor.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { openSync } = fs
fs.openSync = (path, ...rest) => {
  if (String(path).endsWith('.raw') && String(rest[0]).includes('x')) openSync('/dev/null')
  return openSync(path, ...rest)
}
syncBuiltinESMExports()
