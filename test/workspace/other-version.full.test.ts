import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { changedBuild } from '../support/changed-build.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { openWorkspace, sees } from './page.ts'

/** A daemon that speaks version 9 of the protocol only; its page speaks the version of this build. */
const ofAnotherProtocol = () => changedBuild('params.protocol.includes(2)', 'params.protocol.includes(9)')

describeWithPages('a page whose daemon is replaced by one of another protocol version', newPage => {
  it('loads itself again once, then says what to do', async () => {
    const before = await startTestDaemon()
    const page = await newPage()
    await openWorkspace(page, { info: before.info })
    await sees(page, 'No session yet')
    let loads = 0
    page.on('load', () => loads++)
    await before.stop()

    const port = new URL(before.info.url).port
    const argv = ['--simulate', '--port', port]
    const after = await startTestDaemon({ home: before.home, argv, daemonProgram: ofAnotherProtocol() })
    expect(after.info.url).toBe(before.info.url)
    await sees(page, 'The page and the daemon do not match')
    await sees(page, 'muxd restart')
    expect(loads).toBe(1)
    // Only the person loads it once more.
    await page.getByRole('button', { name: 'Load the page again' }).click()
    await sees(page, 'The page and the daemon do not match')
    expect(loads).toBe(2)
    await after.stop()

    // Once it was connected, it reloads by itself again.
    const own = await startTestDaemon({ home: before.home, argv })
    await page.reload()
    await sees(page, 'No session yet')
    await own.stop()
    loads = 0
    await startTestDaemon({ home: before.home, argv, daemonProgram: ofAnotherProtocol() })
    await sees(page, 'The page and the daemon do not match')
    expect(loads).toBe(1)
  })
})
