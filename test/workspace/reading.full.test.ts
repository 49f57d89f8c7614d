import type { Locator, Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace } from './page.ts'
import { asks, says, startScenes, thinks, uses } from './scenes.ts'

describeWithPages('the workspace page', newPage => {
  it('shows no animation or transition when reduced motion is preferred', {
    timeout: 180_000,
  }, async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const { session } = await script.run({ prompt: 'sim:hang at=tool', cwd: tempDir(), title: 'goes on' })
    await script.run({ session, prompt: 'sim:text waits' })
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_300, height: 800 })
    await openWorkspace(page, { info })
    await openSession(page, /goes on/)
    await page.locator('.conversation .run-status-bar').waitFor()
    await page.locator('.conversation .mark.running').waitFor()
    const animations = () => page.evaluate(() => document.getAnimations().length)
    // The same page is animated without the preference.
    await until(async () => expect(await animations()).toBeGreaterThan(0))
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await until(async () => expect(await animations()).toBe(0))
    const moving = await page.evaluate(
      () =>
        [...document.querySelectorAll('*')].filter(element => {
          const { animationName, transitionDuration } = getComputedStyle(element)
          return animationName !== 'none' || !/^0s(, 0s)*$/.test(transitionDuration)
        }).length,
    )
    expect(moving).toBe(0)
  })

  it('keeps words whole in tables, which scroll when wider than the pane', { timeout: 180_000 }, async () => {
    const words = ['Responsibility', 'internationalization', 'Donaudampfschifffahrtsgesellschaft', 'Dependencies']
    const table = `| ${words.join(' | ')} |\n| --- | --- | --- | --- |\n| ${[...words].reverse().join(' | ')} |`
    const { info, play } = await startScenes({ table: [says(table)] })
    await (await play('table')).wait()
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 390, height: 800 })
    await openWorkspace(page, { info })
    await openSession(page, /table/)
    const cells = page.locator('.conversation .markdown :is(th, td)')
    await cells.first().waitFor()
    expect(await linesOf(cells)).toEqual(words.concat(words).map(() => 1))
    const [seen, whole] = await page
      .locator('.conversation .markdown table')
      .evaluate(element => [element.clientWidth, element.scrollWidth] as const)
    expect(whole).toBeGreaterThan(seen)
    expect(await overflowing(page)).toBe(0)
    await page.keyboard.press('Alt+d')
    const connections = page.getByRole('group', { name: 'Daemon' }).getByRole('table')
    await connections.getByText('control').first().waitFor()
    const short = connections.locator(':is(th, td:not(.given))')
    expect(new Set(await linesOf(short))).toEqual(new Set([1]))
    expect(await overflowing(page)).toBe(0)
  })

  it('shows right-to-left prompts, answers, tools, questions and notices in their direction', {
    timeout: 180_000,
  }, async () => {
    const about = (what: string) => `שלום ${what}`
    const { info, mux, play } = await startScenes({
      [about('prompt')]: [
        thinks(about('thought')),
        says(
          `${about('paragraph')}\n\n- ${about('item')}\n\n> ${about('quote')}\n\n| ${about('head')} |\n| --- |\n| 1 |`,
        ),
        ...uses('TodoWrite', { todos: [{ content: about('todo'), status: 'pending' }] }, 'ok'),
        ...uses('mcp__notes__add', { text: about('field'), lines: `${about('line')}\n2` }, about('output')),
        ...uses('Read', { file_path: '/tmp/a.txt' }, about('error'), { failed: true }),
        { type: 'system', subtype: 'informational', level: 'warning', content: `${about('notice')}\nmore` },
        ...asks(
          'Bash',
          { command: 'ls', description: about('why') },
          {
            description: about('description'),
            title: about('title'),
            decision_reason: about('reason'),
          },
        ),
      ],
      [about('question')]: asks('AskUserQuestion', {
        questions: [{ question: about('asked'), options: [{ label: about('option'), description: 'a' }] }],
      }),
    })
    const first = await play(about('prompt'))
    await play(about('queued'), first.session)
    await play(about('question'))
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_500, height: 1_000 })
    await openWorkspace(page, { info })
    await until(async () => expect((await mux.api.approval.list({})).approvals).toHaveLength(2))
    await page.getByRole('article').nth(1).waitFor()
    const expectAll = async (...expected: string[]) => {
      const seen = await directions(page)
      expect(seen.filter(({ direction }) => direction !== 'rtl')).toEqual([])
      for (const what of expected)
        expect(
          seen.map(({ text }) => text),
          what,
        ).toContainEqual(expect.stringContaining(what))
    }
    await expectAll('asked', 'option', 'why', 'description', 'title', 'reason', 'prompt', 'question')
    await openSession(page, /prompt/)
    await page.locator('.conversation .answering').waitFor()
    const scroller = page.locator('.conversation .scroller')
    await expectAll('reason', 'queued')
    await scroller.evaluate(element => (element.scrollTop = 0))
    await page.locator('.conversation .prompt').waitFor()
    await page.locator('.conversation .tool[aria-label^="add"] .fold').click()
    await expectAll('prompt', 'thought', 'paragraph', 'item', 'quote', 'head', 'todo', 'field', 'line', 'output')
    const table = page.locator('.conversation .markdown table')
    expect(await table.evaluate(element => getComputedStyle(element).direction)).toBe('rtl')
  })

  it('follows the direction of the typed text in every text field', { timeout: 180_000 }, async () => {
    const { info, play } = await startScenes({
      asks: asks('Bash', { command: 'ls' }),
      which: asks('AskUserQuestion', { questions: [{ question: 'Which?', options: [{ label: 'One' }] }] }),
    })
    await play('asks')
    await play('which')
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_500, height: 1_000 })
    await openWorkspace(page, { info })
    await page.getByRole('article').nth(1).waitFor()
    const without = () =>
      page
        .locator('textarea:not([dir=auto]), input:not([type=radio], [type=checkbox], [dir=auto])')
        .evaluateAll(fields => fields.map(field => field.outerHTML))
    const expectAll = async (what: string) => {
      expect(await page.locator('textarea, input').count(), what).toBeGreaterThan(0)
      expect(await without(), what).toEqual([])
    }
    await page.getByRole('button', { name: 'Change input' }).click()
    await expectAll('the inbox')
    await openSession(page, /^asks /)
    await page.locator('.conversation .prompt-box textarea').waitFor()
    await page.keyboard.press('Control+f')
    await page.getByRole('search').waitFor()
    await expectAll('the pane')
    for (const [command, dialog] of [
      ['New session', 'New session'],
      ['Import a conversation', 'Import a conversation'],
      ['Rename this session', 'Rename the session'],
      ['Cancel what runs in this pane', 'Cancel the run'],
    ] as const) {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Command' }).fill(command)
      await expectAll('the palette')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: dialog }).waitFor()
      await expectAll(dialog)
      await page.keyboard.press('Escape')
    }
  })

  it('scrolls a question taller than its pane to its end, with its buttons in view', {
    timeout: 180_000,
  }, async () => {
    const question = `${'It matters for all of the design. '.repeat(120)} THE END OF IT`
    const { info, play } = await startScenes({
      tall: asks('AskUserQuestion', { questions: [{ question, options: [{ label: 'Yes' }, { label: 'No' }] }] }),
    })
    await play('tall')
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_300, height: 700 })
    await openWorkspace(page, { info })
    await openSession(page, /tall/)
    for (const [width, height] of [
      [1_300, 700],
      [390, 640],
    ] as const) {
      await page.setViewportSize({ width, height })
      const text = page.locator('.conversation .question-text')
      await text.waitFor()
      expect(await text.evaluate(element => element.scrollHeight > element.clientHeight)).toBe(true)
      const lastOption = text.getByRole('radio', { name: 'No' })
      await lastOption.check()
      // `check` does not scroll to an option that is already checked.
      await lastOption.scrollIntoViewIfNeeded()
      await isInView(page, '.conversation .option:last-of-type')
      for (const button of ['Answer', 'Deny'])
        await until(async () => {
          const box = await page.locator('.conversation .answering').getByRole('button', { name: button }).boundingBox()
          const pane = await page.locator('.conversation-body').boundingBox()
          expect(box!.y).toBeGreaterThanOrEqual(pane!.y)
          expect(box!.y + box!.height).toBeLessThanOrEqual(pane!.y + pane!.height)
        })
      await text.evaluate(element => (element.scrollTop = 0))
      await isInView(page, '.conversation .question legend', 'start')
      expect(await page.locator('.conversation .answering').getByRole('button', { name: 'Answer' }).isEnabled()).toBe(
        true,
      )
    }
  })

  it('shows the whole name of a file and of a project, however narrow the space', {
    timeout: 180_000,
  }, async () => {
    const path = `/home/ann/${'directory/'.repeat(20)}CreditCardForm.test.tsx`
    const { info, play } = await startScenes({
      paths: [...uses('Read', { file_path: path }, '1'), ...asks('Write', { file_path: path, content: 'text' })],
    })
    await play('paths')
    for (const width of [1_500, 390]) {
      const page = await newPage({ apart: true })
      await page.setViewportSize({ width, height: 800 })
      await openWorkspace(page, { info })
      await page.locator('.row-project').first().waitFor()
      expect(await isWhole(page, '.row-project')).toEqual([true])
      if (width > 700) {
        await page.locator('.card .path-name').waitFor()
        expect(await isWhole(page, '.card .path-name')).toEqual([true])
      }
      await openSession(page, /paths/)
      await page.locator('.conversation .tool').nth(1).waitFor()
      expect(await isWhole(page, '.conversation .tool .about .path-name')).toEqual([true, true])
      expect(await page.locator('.conversation .tool .path-name').allTextContents()).toContain(
        'CreditCardForm.test.tsx',
      )
      expect(await overflowing(page)).toBe(0)
    }
  })
})

/** Returns the number of lines of each visible cell's text. */
const linesOf = (cells: Locator) =>
  cells.evaluateAll(all =>
    all
      .filter(cell => cell.checkVisibility())
      .map(cell => {
        const range = document.createRange()
        range.selectNodeContents(cell)
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size
      }),
  )

/** Returns by how many pixels content sticks out of the window or of a pane to the side. */
const overflowing = (page: Page) =>
  page.evaluate(() =>
    Math.max(
      ...[
        ...document.querySelectorAll('html, .block, .block .scroll, .conversation, .conversation .scroller, .card'),
      ].map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
    ),
  )

/** Returns for each element whether all of its text is visible. */
const isWhole = (page: Page, selector: string) =>
  page.locator(selector).evaluateAll(all =>
    all.map(element => {
      const { left, right } = element.getBoundingClientRect()
      return element.scrollWidth <= Math.ceil(element.clientWidth) && left >= 0 && right <= innerWidth
    }),
  )

async function isInView(page: Page, selector: string, edge?: 'start'): Promise<void> {
  await until(async () => {
    const box = await page.locator(selector).last().boundingBox()
    const frame = await page.locator('.conversation .question-text').boundingBox()
    expect(box!.y).toBeGreaterThanOrEqual(frame!.y - 1)
    if (!edge) expect(box!.y + box!.height).toBeLessThanOrEqual(frame!.y + frame!.height + 1)
  })
}

/** Returns every text of the page that begins in Hebrew, with the direction in which it is shown. */
const directions = (page: Page) =>
  page.evaluate(() => {
    const found: { text: string; direction: string; place: string }[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement!
      if (!node.textContent!.trim().startsWith('שלום') || element.closest('.unseen, .dv-live-region, option')) continue
      const { direction } = getComputedStyle(element)
      found.push({ text: node.textContent!, direction, place: `${element.tagName}.${element.className}` })
    }
    return found
  })
