import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BadHome, openHome, readInfo, removeInfo, writeInfo } from '../../daemon/home/home.ts'

let parent: string
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), 'muxd-home-'))))
afterEach(() => rmSync(parent, { recursive: true }))

const mode = (path: string) => statSync(path).mode & 0o777
const info = {
  url: 'ws://127.0.0.1:1/ws',
  socket: '/s',
  token: 't',
  observeToken: 'o',
  pid: 1,
  instance: 'first',
  version: '0',
}

describe('the home directory', () => {
  it('is created with its parents, accessible to its owner only', () => {
    const home = openHome(join(parent, 'state/muxd'))
    expect(mode(home.directory)).toBe(0o700)
    expect(mode(home.processes)).toBe(0o700)
  })

  it.each([0o755, 0o710, 0o701, 0o770])('is refused with mode %o and the chmod command', bits => {
    const directory = join(parent, 'open')
    mkdirSync(directory)
    chmodSync(directory, bits)
    expect(() => openHome(directory)).toThrow(BadHome)
    expect(() => openHome(directory)).toThrow(`chmod 700 ${directory}`)
  })

  it('has the address of the daemon in a file that only its owner may read', () => {
    const home = openHome(join(parent, 'muxd'))
    writeInfo(home, info)
    expect(readInfo(home)).toEqual(info)
    expect(mode(home.info)).toBe(0o600)
  })

  it('keeps the daemon.json of another daemon when a daemon stops', () => {
    const home = openHome(join(parent, 'muxd'))
    writeInfo(home, { ...info, instance: 'second' })
    removeInfo(home, 'first')
    expect(readInfo(home)?.instance).toBe('second')
    removeInfo(home, 'second')
    expect(readInfo(home)).toBeUndefined()
  })

  it('treats a damaged daemon.json as missing', () => {
    const home = openHome(join(parent, 'muxd'))
    writeFileSync(home.info, '{"url":')
    expect(readInfo(home)).toBeUndefined()
  })
})
