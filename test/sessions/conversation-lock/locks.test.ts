import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { identify } from '../../../daemon/os/process-identity.ts'
import { createConversationLocks, locksDirectory } from '../../../daemon/sessions/conversation-lock/locks.ts'
import { tempDir } from '../../support/temp-dir.ts'

const key = { config: '/config', claudeSessionId: 'id' }
const claim = (process = 'p_1') => ({ session: 's_1', process })
const homes = () => {
  const directory = join(tempDir(), 'claims')
  return {
    directory,
    one: createConversationLocks({ directory, home: '/one' }),
    other: createConversationLocks({ directory, home: '/other' }),
  }
}
const sleeper = () => {
  const child = spawn('sleep', ['1000'])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
const claimsIn = (directory: string) => readdirSync(directory).filter(name => name.endsWith('.json'))

it('a conversation belongs to the home that took it first, until that home releases it', async () => {
  const { directory, one, other } = homes()
  expect(await one.take(key, claim())).toBeUndefined()
  expect(await other.take(key, claim('p_2'))).toMatchObject({
    home: '/one',
    process: 'p_1',
    holder: { pid: process.pid },
  })
  expect(await other.ofOthers(key)).toMatchObject({ home: '/one' })
  expect(await one.ofOthers(key)).toBeUndefined()
  await other.release(key, 'p_2')
  await one.release(key, 'p_of_another')
  expect(await other.ofOthers(key)).toMatchObject({ home: '/one' })
  await one.release(key, 'p_1')
  expect(await other.take(key, claim('p_2'))).toBeUndefined()
  expect(claimsIn(directory)).toHaveLength(1)
  expect(await other.take({ ...key, claudeSessionId: 'another' }, claim('p_3'))).toBeUndefined()
})

it('a claim is void when its process has ended, also if another process has the same pid', async () => {
  const { directory, one, other } = homes()
  const child = sleeper()
  await one.take(key, claim(), child.pid)
  expect(await other.ofOthers(key)).toMatchObject({ holder: { pid: child.pid } })
  const [name] = claimsIn(directory)
  const file = join(directory, name!)
  const taken = JSON.parse(readFileSync(file, 'utf8')) as { holder: object }
  const { pid, domain } = (await identify(process.pid))!
  for (const holder of [
    { pid, started: '1', domain },
    { ...taken.holder, domain: 'elsewhere' },
  ]) {
    writeFileSync(file, JSON.stringify({ ...taken, holder }))
    expect(await other.ofOthers(key)).toBeUndefined()
  }
  writeFileSync(file, JSON.stringify(taken))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await other.take(key, claim('p_2'))).toBeUndefined()
  expect(await one.ofOthers(key)).toMatchObject({ home: '/other' })
})

it('one of many simultaneous takers gets the claim of a dead process', async () => {
  const { directory, one } = homes()
  const child = sleeper()
  await one.take(key, claim(), child.pid)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const takers = Array.from({ length: 12 }, (_, index) => createConversationLocks({ directory, home: `/${index}` }))
  const taken = await Promise.all(takers.map(taker => taker.take(key, claim(`p_${index()}`))))
  expect(taken.filter(other => other === undefined)).toHaveLength(1)
  expect(readdirSync(directory).filter(name => name !== 'lock')).toHaveLength(1)
})
let last = 0
const index = () => last++

it('a claim can be taken again for another process of the same home', async () => {
  const { one, other } = homes()
  await one.take(key, claim())
  const child = sleeper()
  expect(await one.take(key, claim('p_2'), child.pid)).toBeUndefined()
  expect(await other.ofOthers(key)).toMatchObject({ process: 'p_2', holder: { pid: child.pid } })
})

it.each([
  '',
  'half a claim',
  'null',
  '[]',
  '{}',
  '{"home":"/one","session":"s_1","process":"p_1"}',
  '{"holder":{"pid":1}}',
])('a damaged claim, %j, blocks the conversation for every home until its file is removed', async content => {
  const { directory, one, other } = homes()
  await one.take(key, claim())
  const file = join(directory, claimsIn(directory)[0]!)
  writeFileSync(file, content)
  for (const home of [one, other]) {
    expect(await home.take(key, claim('p_2'))).toMatchObject({ file })
    expect(await home.ofOthers(key)).toMatchObject({ file })
    await home.release(key, 'p_1')
    expect(await home.removeStale()).toBe(0)
  }
  expect(readFileSync(file, 'utf8')).toBe(content)
  rmSync(file)
  expect(await other.take(key, claim('p_2'))).toBeUndefined()
})

it('a claim that exists and cannot be read blocks the conversation too', async () => {
  const { directory, one, other } = homes()
  await one.take(key, claim())
  const file = join(directory, claimsIn(directory)[0]!)
  rmSync(file)
  mkdirSync(file)
  expect(await other.ofOthers(key)).toMatchObject({ file, why: expect.stringContaining('EISDIR') })
})

it('claims of ended processes and drafts of killed daemons are removed, and those of live processes stay', async () => {
  const { directory, one, other } = homes()
  const [dead, live] = [sleeper(), sleeper()]
  await one.take({ ...key, claudeSessionId: 'dead' }, claim(), dead.pid)
  await other.take({ ...key, claudeSessionId: 'live' }, claim(), live.pid)
  await one.take({ ...key, claudeSessionId: 'elsewhere' }, claim(), live.pid)
  dead.kill('SIGKILL')
  await once(dead, 'exit')
  const drafts = ['old', 'new'].map(name => join(directory, `${claimsIn(directory)[0]}.${name}_0-1`))
  for (const draft of drafts) writeFileSync(draft, '')
  utimesSync(drafts[0]!, 1, 1)
  for (const name of claimsIn(directory)) {
    const file = join(directory, name)
    const taken = JSON.parse(readFileSync(file, 'utf8')) as { claudeSessionId: string; holder: object }
    if (taken.claudeSessionId !== 'elsewhere') continue
    // As if the process ran in another container.
    writeFileSync(file, JSON.stringify({ ...taken, holder: { ...taken.holder, domain: 'elsewhere' } }))
  }

  expect(await one.removeStale()).toBe(1)
  const left = claimsIn(directory).map(name => readFileSync(join(directory, name), 'utf8'))
  expect(left.map(text => (JSON.parse(text) as { claudeSessionId: string }).claudeSessionId).toSorted()).toEqual([
    'elsewhere',
    'live',
  ])
  expect(drafts.map(draft => existsSync(draft))).toEqual([false, true])
})

it('a claim also applies to another path of the same configuration directory', async () => {
  const { one, other } = homes()
  const config = join(tempDir(), 'config')
  mkdirSync(config)
  symlinkSync(config, `${config}-link`)
  await one.take({ config, claudeSessionId: 'id' }, claim())
  expect(await other.ofOthers({ config: `${config}-link`, claudeSessionId: 'id' })).toMatchObject({ home: '/one' })
})

it('the directory of the claims is below XDG_STATE_HOME or ~/.local/state, and the same for every home', () => {
  expect(locksDirectory({ XDG_STATE_HOME: '/state' })).toBe('/state/muxd-claims')
  expect(locksDirectory({ XDG_STATE_HOME: '/state', MUXD_HOME: '/elsewhere' })).toBe('/state/muxd-claims')
  expect(locksDirectory({ MUXD_HOME: '/elsewhere' })).toBe(join(homedir(), '.local', 'state', 'muxd-claims'))
})
