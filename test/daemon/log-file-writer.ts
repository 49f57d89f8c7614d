import { createLogFile } from '../../daemon/log/log-file.ts'

/** Writes numbered lines until it is killed. The first argument is the path, the second the first number. */
const [path, from] = process.argv.slice(2)
const file = createLogFile({ path: path!, maxBytes: 2_000, files: 1_000 })
for (let number = Number(from); ; number++)
  file.write(`${JSON.stringify({ number, filling: 'x'.repeat(number % 50) })}\n`)
