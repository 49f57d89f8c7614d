// Loaded before anything else into a daemon and whatever it starts: with every raw log that is begun one descriptor leaks.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { openSync } = fs
fs.openSync = (path, ...rest) => {
  if (String(path).endsWith('.raw') && String(rest[0]).includes('x')) openSync('/dev/null')
  return openSync(path, ...rest)
}
syncBuiltinESMExports()
