import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const simulator = fileURLToPath(new URL('../../dist/simulator.js', import.meta.url))

/** Writes a `claude` that runs the simulator and replaces each of these prompts by its value. Returns its path. */
export function simulatorFor(directory: string, prompts: Record<string, string>): string {
  const rules = Object.entries(prompts).map(([prompt, script]) => `s|"${prompt}"|"${script}"|\n`)
  writeFileSync(join(directory, 'prompts.sed'), rules.join(''))
  const path = join(directory, 'claude')
  const play = `'${process.execPath}' '${simulator}' "$@"`
  const script = `#!/bin/sh
[ "$1" = --version ] && exec ${play}
sed -u -f '${directory}/prompts.sed' | exec ${play}
`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}
