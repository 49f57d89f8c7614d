import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { failToStart, startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const mark = 'a prompt that is found again'

/** Creates the home of a daemon that stopped in order, with the log of one run. */
async function endedHome() {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const { session, run } = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: `sim:text ${mark}` })
  await peer.call('run.wait', { run })
  const events = await readLog(params => peer.call('topic.read', params), session)
  await daemon.stop()
  const file = join(daemon.home, 'muxd.db')
  return { home: daemon.home, file, session, events, bytes: readFileSync(file) }
}

/** Replaces every copy of a text. SQLite keeps old copies of a record in the unused part of a page. */
const replaceAll = (bytes: Buffer, text: string, by: string) =>
  Buffer.from(bytes.toString('latin1').replaceAll(text, by), 'latin1')

describe('a damaged database', () => {
  it('is served with log_damaged in place of a damaged event, and accepts further runs', async () => {
    const { home, file, session, events, bytes } = await endedHome()
    const at = bytes.indexOf(`"type":"run_started","prompt":"sim:text ${mark}`)
    writeFileSync(file, bytes.fill('A', at + 40, at + 41))
    const daemon = await startTestDaemon({ home })
    const peer = await daemon.peer()
    await peer.call('topic.subscribe', { topic: `session/${session}`, since: 'start' })
    const found = await readLog(params => peer.call('topic.read', params), session)
    const { seq } = events.find(({ type }) => type === 'run_started')!
    const stand = { seq, time: 0, run: null, type: 'log_damaged', log: 'events' }
    expect(found).toEqual(events.map(event => (event.seq === seq ? expect.objectContaining(stand) : event)))
    expect(await peer.call('event.get', { topic: `session/${session}`, seq })).toMatchObject({ event: stand })
    const lines = daemon.log().split('\n')
    expect(lines.filter(line => line.includes('a stored event is damaged'))).toHaveLength(1)

    const again = await peer.call<Run>('run.start', { session, prompt: 'sim:text' })
    expect(await peer.call('run.wait', { run: again.run })).toMatchObject({ state: 'done' })
    const later = await readLog(params => peer.call('topic.read', params), session)
    expect(later.slice(0, found.length)).toEqual(found)
    expectWholeLog(peer.events(`session/${session}`), { log: later })
  })

  it.each([
    ['the header', (bytes: Buffer) => bytes.fill(0xa5, 0, 64)],
    ['the schema', (bytes: Buffer) => replaceAll(bytes, 'CREATE TABLE events', 'CREATE TABLE XXXXts')],
    ['the record of a session', (bytes: Buffer) => replaceAll(bytes, '"title":', '"XXXle":')],
    ['half of the file', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 8192) * 4096)],
  ])('without %s makes the daemon exit with one line about the damage, and stays unchanged', async (_what, change) => {
    const { home, file, bytes } = await endedHome()
    writeFileSync(file, change(bytes))
    const damaged = readFileSync(file)
    const { code, stderr } = await failToStart(['--home', home, '--port', '0', '--simulate'])
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/^muxd: \S+muxd\.db is .*damaged.*\n$/),
    })
    expect(readFileSync(file).equals(damaged)).toBe(true)
  })
})
