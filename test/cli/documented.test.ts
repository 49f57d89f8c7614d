import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exitCodes } from '../../client/cli/errors/exit.ts'
import { createProgram } from '../../client/cli/program.ts'

const program = createProgram()
const commands = program.commands.flatMap(command =>
  command.commands.length > 0
    ? command.commands.map(each => `muxd ${command.name()} ${each.name()}`)
    : [`muxd ${command.name()}`],
)

describe.each(['README.md', 'docs/cli.md'])('%s', file => {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

  it('lists every command in its table, and no other', () => {
    const rows = text.split('\n').filter(line => line.startsWith('| `muxd '))
    const named = rows.flatMap(row => [...row.matchAll(/`(muxd (?:token )?[a-z]+)/g)].map(([, name]) => name!))
    expect([...new Set(named)].sort()).toEqual(commands.toSorted())
  })

  it('lists every exit code', () => {
    const codes = /Exit\s+codes: ([^.]*)\./.exec(text)?.[1] ?? /\| exit code[^]*?\n\n/.exec(text)![0]
    const listed = [...codes.matchAll(/(?:^|, |\n\| )(\d+)\b/g)].map(([, code]) => Number(code))
    expect(listed.toSorted((a, b) => a - b)).toEqual(Object.values(exitCodes).sort((a, b) => a - b))
  })
})

it('the help lists every exit code', () => {
  let help = ''
  program.configureOutput({ writeOut: text => (help += text) })
  program.outputHelp()
  for (const code of Object.values(exitCodes)) expect(help).toMatch(new RegExp(`[ ,]${code} `))
})
