import { randomInt } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { isAlive } from '../support/processes.ts'
import { standIn } from '../support/stand-in.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace } from './page.ts'

describeWithPages('processes that Claude Code left running', newPage => {
  it('are listed in the pane of their session, with a button that ends them', { timeout: 180_000 }, async () => {
    const command = `/bin/sleep ${randomInt(1_000_000, 2_000_000)}`
    const claude = standIn(`
      import { spawn } from 'node:child_process'
      serve(async uuid => {
        init(uuid)
        const [program, ...args] = ${JSON.stringify(command.split(' '))}
        spawn(program, args, { stdio: 'ignore', detached: true }).unref()
        text('ready')
        result(uuid)
      })`)
    const { home, info } = await startTestDaemon({ argv: ['--claude-bin', claude] })
    const mux = await connectForTest({ home })
    const run = await mux.run({ prompt: 'go', cwd: tempDir(), title: 'server' })
    await run.wait()
    const { left } = await mux.api.session.close({ session: run.session })
    const { pid } = left!.processes[0]!
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    })
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_300, height: 800 })
    await openWorkspace(page, { info })
    await openSession(page, /server/)
    await page.getByText('1 process goes on without Claude Code').click()
    const list = page.getByRole('list', { name: 'Processes that go on without Claude Code' })
    await list.getByText(command, { exact: true }).waitFor()
    await list.getByText(`pid ${pid},`).waitFor()
    await page.getByRole('button', { name: 'End it' }).click()
    await until(() => expect(isAlive(pid)).toBe(false))
    await until(async () => expect(await list.count()).toBe(0))
  })
})
