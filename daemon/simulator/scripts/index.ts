import type { Call } from '../prompt.ts'
import type { Script, Scripts } from '../script.ts'
import { text } from '../steps.ts'
import { endings } from './endings.ts'
import { failureKinds, failures } from './failures.ts'
import { streams } from './streams.ts'
import { talk } from './talk.ts'
import { tasks } from './tasks.ts'
import { toolScripts } from './tools.ts'

/** Every script by its name in `sim:<name>`. */
export const scripts: Scripts = {
  ...talk,
  ...toolScripts,
  ...tasks,
  ...failures,
  ...endings,
  ...streams,
  help: {
    about: 'The list of scripts.',
    async *play() {
      yield text(helpText(), 0)
    },
  },
}

/** Returns the script that a prompt asks for. The script for an unknown name says so, and lists the ones that exist. */
export function scriptFor(call: Call): Script {
  if (call.script === 'hang' && call.options.get('at') === 'start') return scripts['hang-at-start']!
  if (Object.hasOwn(scripts, call.script)) return scripts[call.script]!
  return {
    about: '',
    async *play() {
      yield text(`There is no script sim:${call.script}.\n\n${helpText()}`, 0)
    },
  }
}

/** The text of `--help` and of the script `help`. */
export function helpText(): string {
  const rows = Object.entries(scripts)
    .filter(([, { about }]) => about !== '')
    .map(([name, { about, options }]) => `  sim:${name}${options ? ` ${options}` : ''}\n      ${about}`)
  return `muxd simulator: a stand-in for Claude Code that plays scripts. No model answers and no tool runs.

A prompt sim:<script> [key=value …] [text] chooses the script; any other prompt plays \`default\`.

${rows.join('\n')}

Kinds of sim:fail: ${failureKinds.join(', ')}.
`
}
