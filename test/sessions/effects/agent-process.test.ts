import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createLog } from '../../../daemon/log/log.ts'
import { createInProcessPtyHost } from '../../../daemon/pty-host/in-process.ts'
import { adoptAgentProcess } from '../../../daemon/sessions/effects/agent-process.ts'
import { createEchoAgent } from '../../support/echo-agent/echo-agent.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'

const printedBytes = 4 * 1024 * 1024
// Two reads of 256 KiB.
const bytesPerTurn = 512 * 1024

it('reads at most 512 KiB of stored output in a turn of the event loop, so that other sessions get their turn', async () => {
  const dir = join(tempDir(), 'processes')
  mkdirSync(dir)
  const ptyHost = createInProcessPtyHost({ dir })
  onTestFinished(() => ptyHost.close())
  const lines = `yes ${'x'.repeat(1023)} | head -c ${printedBytes}; exec sleep 600`
  const spec = { id: 'p_flood', nonce: 'n0nce', cwd: dir, env: { PATH: process.env.PATH! } }
  const held = await ptyHost.start({ ...spec, command: ['/bin/sh', '-c', lines] })
  await until(() => expect(held.rawBytes).toBeGreaterThanOrEqual(printedBytes))

  // The offset that was reached by the end of each turn.
  const reached = [0]
  let offset = 0
  let isCaughtUp = false
  const turn = () => {
    reached.push(offset)
    if (!isCaughtUp) setImmediate(turn)
  }
  setImmediate(turn)
  const options = {
    agent: createEchoAgent('', {}),
    log: createLog('silent'),
    processesDir: dir,
    nonce: spec.nonce,
    from: 0,
  }
  const agentProcess = adoptAgentProcess(held, options, {
    lines: (_lines, at) => void (offset = at),
    caughtUp: () => (isCaughtUp = true),
    failed: error => expect.unreachable(String(error)),
    stalled: error => expect.unreachable(String(error)),
    ended: () => expect.unreachable('the process has ended'),
  })
  agentProcess.follow()
  await until(() => expect(isCaughtUp).toBe(true))
  reached.push(offset)
  agentProcess.unfollow()

  expect(offset).toBeGreaterThanOrEqual(printedBytes - 1024)
  const steps = reached.slice(1).map((bytes, index) => bytes - reached[index]!)
  expect(Math.max(...steps)).toBeLessThanOrEqual(bytesPerTurn)
})
