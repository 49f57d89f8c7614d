import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import type { Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { LeftProcess } from '../../daemon/os/left-process.ts'
import { identitiesOf } from '../../daemon/os/process-identity.ts'
import { withLeft, withoutEnded } from '../../daemon/sessions/left-processes.ts'

const session = { session: 's_1' } as Session
const found = (pid: number, command = 'server'): LeftProcess => ({
  pid,
  startedAt: 1,
  command,
  identity: identitiesOf([pid]).get(pid) ?? 'gone',
})

test('a record lists 50 left processes and counts the others, over several processes of a session', () => {
  const many = Array.from({ length: limits.maxLeftProcesses }, () => found(process.pid))
  const { left } = withLeft(withLeft(session, many.slice(1)), [found(process.pid), found(process.pid), found(1)])
  expect(limits.maxLeftProcesses).toBe(50)
  expect(left?.processes).toHaveLength(50)
  expect(left?.more).toBe(2)
})

test('a command line in a record has its secrets removed and is cut at 200 characters', () => {
  const secret = `sk-ant-api03-${'x'.repeat(80)}`
  const { left } = withLeft(session, [
    found(process.pid, `server --key ${secret}`),
    found(process.pid, 'y'.repeat(999)),
  ])
  const commands = left!.processes.map(({ command }) => command)
  expect(commands[0]).toMatch(/^server --key /)
  expect(commands[0]).not.toContain(secret)
  expect(commands[1]).toBe(`${'y'.repeat(199)}…`)
})

test('a left process disappears from the record when it has ended', async () => {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const record = withLeft(session, [found(child.pid!)])
  expect(withoutEnded(record).left?.processes).toHaveLength(1)
  const ended = new Promise(resolve => void child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  expect(withoutEnded(record).left).toBeUndefined()
})
