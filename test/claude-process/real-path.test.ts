import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { realPath } from '../../daemon/claude/real-path.ts'
import { tempDir } from '../support/temp-dir.ts'

it('a path leads where its links lead, also where nothing is yet', () => {
  const directory = realpathSync(tempDir())
  const at = (...names: string[]) => join(directory, ...names)
  mkdirSync(at('real'))
  symlinkSync('real', at('link'))
  symlinkSync('real/new', at('dangling'))
  symlinkSync('loop', at('loop'))
  expect(realPath(at('link'))).toBe(at('real'))
  expect(realPath(at('link', 'new', 'file'))).toBe(at('real', 'new', 'file'))
  expect(realPath(at('dangling'))).toBe(at('real', 'new'))
  expect(realPath(at('loop', 'x'))).toBe(at('loop', 'x'))
  const endless = '/x'.repeat(100_000)
  expect(realPath(endless)).toBe(endless)
  expect(realPath('/\0')).toBe('/\0')
})
