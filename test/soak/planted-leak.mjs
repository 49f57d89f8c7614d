// Loaded into a daemon or a holder before anything else: with every process that is started it leaks one descriptor.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { openSync } = fs
fs.openSync = (path, ...rest) => {
  if (String(path).endsWith('.raw') && String(rest[0]).includes('x')) openSync('/dev/null')
  return openSync(path, ...rest)
}
syncBuiltinESMExports()
