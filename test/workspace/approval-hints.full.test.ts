import type { Locator, Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace, tab } from './page.ts'
import { asks, startScenes } from './scenes.ts'

const always = [
  { type: 'addRules', rules: [{ toolName: 'Bash', ruleContent: 'ls' }], behavior: 'allow', destination: 'session' },
]
const card = (page: Page, text: RegExp) => page.getByRole('article').filter({ hasText: text })
const facts = (place: Locator) => place.locator('.facts')
const inPane = (page: Page) => page.locator('.conversation .answering')

describeWithPages('a tool approval', newPage => {
  it('shows in the inbox and in its pane why Claude Code asks', { timeout: 180_000 }, async () => {
    const { info, play } = await startScenes({
      outside: asks(
        'Bash',
        { command: 'cat /etc/hosts' },
        {
          title: 'Claude wants to read a file outside the project',
          decision_reason: 'Path is outside the allowed directories',
          blocked_path: '/etc/hosts',
        },
      ),
      issue: asks(
        'mcp__github__create_issue',
        { title: 'A bug' },
        {
          mcp_server: { name: 'github-enterprise' },
          decision_reason_type: 'rule',
          matched_ask_rule: { tool_name: 'mcp__github__create_issue' },
        },
      ),
    })
    await play('outside')
    await play('issue')
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_400, height: 900 })
    await openWorkspace(page, { info })
    const reasons = {
      outside: [
        'Claude wants to read a file outside the project',
        'Path is outside the allowed directories',
        '/etc/hosts',
      ],
      issue: ['github-enterprise', 'the permission rule ask mcp__github__create_issue'],
    }
    for (const [prompt, texts] of Object.entries(reasons)) {
      await tab(page, 'Approvals').click()
      for (const text of texts)
        await facts(card(page, new RegExp(prompt)))
          .getByText(text, { exact: true })
          .waitFor()
      await openSession(page, new RegExp(`^${prompt} `))
      for (const text of texts) await facts(inPane(page)).getByText(text, { exact: true }).waitFor()
    }
    // The heading has the tool's own name; its server stands beside it.
    await tab(page, 'Approvals').click()
    expect(await card(page, /issue/).getByRole('heading').textContent()).toContain('create issue')
  })

  it('has no one-key answer and no choice to remember it where Claude Code forbids that', {
    timeout: 180_000,
  }, async () => {
    const { info, mux, play } = await startScenes({
      plain: asks('Bash', { command: 'ls' }, { permission_suggestions: always }),
      no: asks('Bash', { command: 'ls' }, { permission_suggestions: always, default_to_no: true }),
      person: asks('Bash', { command: 'ls' }, { permission_suggestions: always, requires_user_interaction: true }),
      once: asks('Bash', { command: 'ls' }, { permission_suggestions: always, suppress_always_allow_rule: true }),
    })
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_400, height: 900 })
    await openWorkspace(page, { info })
    const expected = {
      plain: { primary: true, remembers: true, key: true },
      no: { primary: false, remembers: true, key: false },
      person: { primary: true, remembers: false, key: false },
      once: { primary: true, remembers: false, key: true },
    }
    for (const [prompt, { primary, remembers, key }] of Object.entries(expected)) {
      const run = await play(prompt)
      const asked = card(page, new RegExp(prompt))
      await asked.waitFor()
      await openSession(page, new RegExp(`^${prompt} `))
      await inPane(page).waitFor()
      const expectButtons = async (place: Locator) => {
        const allow = place.getByRole('button', { name: 'Allow', exact: true })
        expect((await allow.getAttribute('class'))!.split(' ').includes('primary'), prompt).toBe(primary)
        expect(await place.getByRole('button', { name: 'Always in this session' }).count(), prompt).toBe(
          remembers ? 1 : 0,
        )
      }
      await expectButtons(inPane(page))
      await tab(page, 'Approvals').click()
      await expectButtons(asked)
      await asked.focus()
      await page.keyboard.press('a')
      if (!key) {
        // Two frames give a key that wrongly answers the time to do so.
        await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
        expect((await mux.api.approval.list({})).approvals, prompt).toHaveLength(1)
        await asked.getByRole('button', { name: 'Allow', exact: true }).click()
      }
      await run.result()
      await until(async () => expect(await asked.count()).toBe(0))
    }
  })
})
