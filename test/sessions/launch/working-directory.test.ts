import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RpcError } from '../../../daemon/rpc/rpc-error.ts'
import { checkWorkingDirectory } from '../../../daemon/sessions/launch/working-directory.ts'

let root: string
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'muxd-cwd-')))
  for (const name of ['allowed/project', 'allowed-not', 'outside']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'file'), '')
  symlinkSync(join(root, 'outside'), join(root, 'allowed/escape'))
  symlinkSync(join(root, 'allowed'), join(root, 'alias'))
})
afterAll(() => rmSync(root, { recursive: true }))

const check = (cwd: string, roots: string[] = []) => {
  const allowRoots = roots.map(name => join(root, name))
  return checkWorkingDirectory(cwd, allowRoots, '/create/cwd')
}

describe('the working directory of a session', () => {
  it('is used with its symbolic links resolved', () => {
    expect(check(join(root, 'alias/project'))).toBe(join(root, 'allowed/project'))
  })

  it('may be an allowed root, also if the root is given as a link', () => {
    expect(check(join(root, 'allowed'), ['allowed'])).toBe(join(root, 'allowed'))
    expect(check(join(root, 'allowed/project'), ['alias'])).toBe(join(root, 'allowed/project'))
  })

  it.each([
    ['missing', 'nowhere', [], /does not exist/],
    ['a file', 'file', [], /not a directory/],
    ['outside the allowed roots', 'outside', ['allowed'], /outside the directories in which sessions may run/],
    ['a neighbour whose name begins like a root', 'allowed-not', ['allowed'], /outside/],
    ['a link that leads out of a root', 'allowed/escape', ['allowed'], /outside/],
    ['above a root', '.', ['allowed'], /outside/],
    ['in a root that does not exist', 'outside', ['gone'], /outside/],
  ])('is refused when it is %s', (_title, name, roots, message) => {
    const error = thrownBy(() => check(join(root, name), roots))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ kind: 'invalid_params', details: { path: '/create/cwd' } })
    expect((error as Error).message).toMatch(message)
  })

  it('is refused when it is not absolute', () => {
    expect(() => check('project')).toThrow(/not an absolute path/)
  })
})

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
