import type { Page, WebSocketRoute } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Approval, Mux } from '../../client/sdk/index.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace, originOf, sees, tab } from './page.ts'

const inbox = (page: Page) => page.getByRole('list', { name: 'Questions' }).getByRole('article')
const inPane = (page: Page) => page.locator('.conversation .answering')
const titleIs = (page: Page, title: string) => until(async () => expect(await page.title()).toBe(title))

async function nextApproval(mux: Mux): Promise<Approval> {
  return until(async () => {
    const { approvals } = await mux.api.approval.list({})
    expect(approvals).toHaveLength(1)
    return approvals[0]!
  })
}

describeWithPages('pending approvals', newPage => {
  it('are shown in every window, in the inbox and in the pane, until a client answers', {
    timeout: 180_000,
  }, async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home, client: { name: 'script', version: '1' } })
    const { session } = await script.run({ prompt: 'sim:permission', cwd: tempDir(), title: 'asks' })
    const windows = [await newPage({ apart: true }), await newPage({ apart: true })]
    const [one, two] = windows as [Page, Page]
    for (const page of windows) {
      await page.setViewportSize({ width: 1_500, height: 900 })
      await openWorkspace(page, { info })
    }
    await openSession(one, /asks/)
    await inPane(one).waitFor()
    // Show the session beside the inbox.
    await one.keyboard.press('Alt+Backslash')
    await tab(one, 'Approvals').click()
    const expectAsked = async () => {
      for (const page of windows) {
        await inPane(page).waitFor()
        await inbox(page).waitFor()
        await titleIs(page, '(1) muxd')
      }
    }
    const expectAnswered = async (words: string) => {
      for (const page of windows) {
        await page.locator('.conversation').getByText(words, { exact: true }).waitFor()
        expect(await inPane(page).count()).toBe(0)
        await sees(page, 'Nothing waits for an answer')
        await titleIs(page, 'muxd')
      }
    }

    await expectAsked()
    await inbox(two).getByRole('button', { name: 'Allow' }).click()
    await expectAnswered('Allowed by Chrome on Linux')

    await script.run({ session, prompt: 'sim:permission file=other.txt' })
    await expectAsked()
    await inPane(one).getByRole('textbox', { name: 'Why not' }).fill('not in this directory')
    await inPane(one).getByRole('button', { name: 'Deny' }).click()
    await expectAnswered('Denied by Chrome on Linux: not in this directory')

    await script.run({ session, prompt: 'sim:permission file=third.txt' })
    await expectAsked()
    const { approval } = await nextApproval(script)
    await script.api.approval.answer({ approval, decision: 'deny', message: 'by a rule of mine' })
    await expectAnswered('Denied by script: by a rule of mine')
  })

  it('report the first answer to a client that answers at the same moment', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home, client: { name: 'script', version: '1' } })
    const page = await newPage()
    const hold = await holdUp(page)
    await openWorkspace(page, { info })
    const run = await script.run({ prompt: 'sim:permission', cwd: tempDir() })
    await inbox(page).waitFor()
    const release = hold()
    const { approval } = await nextApproval(script)
    await script.api.approval.answer({ approval, decision: 'allow' })
    await run.result()
    // This window does not know of the answer yet, so it answers too.
    await inbox(page).getByRole('button', { name: 'Deny' }).click()
    await until(async () => expect(await inbox(page).getByRole('button', { name: 'Deny' }).isDisabled()).toBe(true))
    release()
    await sees(page, 'script was first: allowed')
    await until(async () => expect(await inbox(page).count()).toBe(0))
  })

  it('notify once, only in a window without focus and after a click on Notify me', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const page = await newPage({ apart: true })
    await page.context().grantPermissions(['notifications'], { origin: originOf(info) })
    await page.addInitScript(() => {
      const seen = { asked: 0, shown: [] as object[] }
      const Real = Notification
      class Recorded extends Real {
        constructor(title: string, options: NotificationOptions) {
          super(title, options)
          seen.shown.push({ title, ...options })
        }
        static override requestPermission() {
          seen.asked++
          return Real.requestPermission()
        }
      }
      Object.assign(globalThis, { Notification: Recorded, seen })
    })
    const seen = () => page.evaluate<{ asked: number; shown: object[] }>('seen')
    const ask = async (title: string) => {
      await script.run({ prompt: 'sim:permission command=ls', cwd: tempDir(), title })
      return nextApproval(script)
    }
    const allow = async ({ approval }: Approval) => {
      await script.api.approval.answer({ approval, decision: 'allow' })
      await titleIs(page, 'muxd')
    }
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    // Without a screen every window has the focus, so the test sets it.
    const look = (here: boolean) => page.evaluate(is => void (document.hasFocus = () => is), here)
    await look(false)
    const unasked = await ask('not asked for')
    await titleIs(page, '(1) muxd')
    expect(await seen()).toEqual({ asked: 0, shown: [] })
    await allow(unasked)

    await look(true)
    await page.getByRole('button', { name: 'Notify me' }).click()
    await page.getByRole('button', { name: 'Notifies you', pressed: true }).waitFor()
    const watched = await ask('before their eyes')
    await titleIs(page, '(1) muxd')
    expect(await seen()).toEqual({ asked: 1, shown: [] })
    await allow(watched)

    await look(false)
    const missed = await ask('out of sight')
    await titleIs(page, '(1) muxd')
    // Records keep changing while the approval waits. They do not notify again.
    await script.api.session.update({ session: missed.session, labels: { changed: 'yes' } })
    await page.getByText('changed=yes').waitFor()
    const note = { title: 'out of sight', body: 'Bash: ls', tag: missed.approval }
    expect(await seen()).toEqual({ asked: 1, shown: [note] })
  })
})

/** Returns a function that withholds everything that the daemon sends. Its result delivers it. */
async function holdUp(page: Page): Promise<() => () => void> {
  let held: { route: WebSocketRoute; message: string | Buffer }[] | undefined
  await page.routeWebSocket('**/ws', route => {
    route.connectToServer().onMessage(message => (held ? held.push({ route, message }) : route.send(message)))
  })
  return () => {
    held = []
    return () => {
      const late = held!
      held = undefined
      for (const { route, message } of late) route.send(message)
    }
  }
}
