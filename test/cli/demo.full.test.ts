import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'

it('the demo shows two clients on one run and who cancelled it, exits and leaves no files', async () => {
  const temp = tempDir()
  const startedAt = Date.now()
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [resolve('dist/demo.js')], {
    env: { ...process.env, TMPDIR: temp, NO_COLOR: '1' },
  })
  expect(Date.now() - startedAt).toBeLessThan(15_000)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ada +│ bob$/m)
  expect(stdout).toMatch(/^■ cancelled by bob: seen enough.* │ ■ cancelled by bob: seen enough/m)
  expect(stdout).toContain('ada is told who ended her run: cancelled by bob: seen enough')
  expect(stdout.match(/^✓ r_\S+ .*\$0\.\d+ \(simulated\)$/gm)).toHaveLength(2)
  // oxlint-disable-next-line no-control-regex
  expect(stdout).not.toMatch(/\u001b/)
  expect(readdirSync(temp)).toEqual([])
})
