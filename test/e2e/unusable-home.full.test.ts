import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { canMount, program, tempHome } from '../support/daemon.ts'

const cli = fileURLToPath(new URL('../../dist/muxd.js', import.meta.url))

/** Checks that a program reports an unusable home in one sentence. */
function expectOneSentence(text: string, sentence: RegExp) {
  // A command first reports that it starts a daemon.
  const lines = text
    .trim()
    .replace(/^muxd: no daemon runs, starting one\n/, '')
    .split('\n')
  expect(lines).toEqual([expect.stringMatching(sentence)])
  expect(text).not.toMatch(/ at .*:\d+:\d+/)
}

function everywhere(home: string, sentence: RegExp, run: (argv: string[]) => string[] = argv => argv) {
  const started = (argv: string[]) => {
    const [command, ...args] = run([process.execPath, ...argv])
    return spawnSync(command!, args, { encoding: 'utf8' })
  }
  const serve = started([program, '--home', home, '--port', '0', '--simulate'])
  expect(serve.status).toBe(2)
  expectOneSentence(serve.stderr, sentence)
  const background = started([cli, 'ls', '--home', home])
  expect(background.status).toBe(3)
  expectOneSentence(background.stderr, sentence)
  const doctor = started([cli, 'doctor', '--json', '--home', home])
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; ok: boolean; detail: string }[] }
  const found = checks.find(({ name }) => name === 'home')!
  expect(found.ok).toBe(false)
  expect(found.detail).toMatch(sentence)
}

describe('serve, background start and doctor report in one sentence, and leave unchanged,', () => {
  it('a home that is a file', () => {
    const home = tempHome()
    writeFileSync(home, '')
    everywhere(home, /home .* expected a directory/)
    expect(readFileSync(home, 'utf8')).toBe('')
  })

  it('a home with a file in its path', () => {
    const parent = tempHome()
    writeFileSync(parent, '')
    everywhere(join(parent, 'home'), /home .* cannot be used: .* is a file, expected a directory/)
    expect(readFileSync(parent, 'utf8')).toBe('')
  })

  it.skipIf(process.getuid?.() !== 0)('a home of another user (skipped without root)', () => {
    const home = tempHome()
    mkdirSync(home, { mode: 0o700 })
    chownSync(home, 12_345, 12_345)
    everywhere(home, /home .* belongs to user 12345/)
    expect(readdirSync(home)).toEqual([])
    expect(statSync(home)).toMatchObject({ uid: 12_345, gid: 12_345 })
  })

  it.skipIf(!canMount)('a home on a read-only file system (skipped where nothing can be mounted)', () => {
    const home = tempHome()
    mkdirSync(home, { mode: 0o700 })
    const mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    const readOnly = (argv: string[]) => ['unshare', '-rm', 'sh', '-c', mount, 'sh', home, ...argv]
    everywhere(home, /home .* cannot be written to: the file system is read-only/, readOnly)
    expect(readdirSync(home)).toEqual([])
  })
})

describe('a daemon with a descriptor limit', () => {
  it.each([20, 21, 22, 23, 24, 26])('of %i does not report the database as damaged and keeps its tokens', limit => {
    const home = tempHome()
    mkdirSync(home, { mode: 0o700 })
    const tokens = join(home, 'tokens.json')
    const kept = JSON.stringify({ control: 'c'.repeat(43), observe: 'o'.repeat(43) })
    writeFileSync(tokens, kept, { mode: 0o600 })
    const limited = 'ulimit -n "$1" && shift && exec "$@"'
    const serve = [process.execPath, program, '--home', home, '--port', '0', '--simulate']
    const { stderr } = spawnSync('sh', ['-c', limited, 'sh', String(limit), ...serve], {
      encoding: 'utf8',
      // With enough descriptors the daemon runs until the timeout ends it.
      timeout: 10_000,
      killSignal: 'SIGTERM',
    })
    expect(stderr).not.toMatch(/damaged|move it away/)
    expect(readFileSync(tokens, 'utf8')).toContain('c'.repeat(43))
  })
})
