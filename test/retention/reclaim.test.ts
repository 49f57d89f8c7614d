import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../daemon/log/log.ts'
import { createReclaimer, type Reclaimer } from '../../daemon/retention/reclaim.ts'
import type { Store } from '../../daemon/store/store.ts'
import { reopen, tempStore } from '../store/temp-store.ts'
import { events, processOf, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'

const large = 20_000

test('a large session is removed in slices, and other work runs in between', async () => {
  const { store, file } = tempStore()
  fill(store, 's_1', 10)
  fill(store, 's_2', large)
  const before = statSync(file).size
  store.sessions.delete('s_2')

  let turns = 0
  const count = setInterval(() => turns++, 0)
  onTestFinished(() => clearInterval(count))
  const reclaimer = reclaimerOf(store, tempDir())
  await reclaimer.reclaim()
  await reclaimer.settled()

  expect(turns).toBeGreaterThan(3)
  expect(store.deletions.removeEvents()).toBe(false)
  expect(store.giveBack()).toBe(false)
  expect(store.usedBytes()).toBeLessThan(before / 10)
  expect(store.events.read('s_1', 0, 100, Infinity)).toEqual(events(1, 10, text).map(row => row.text))
})

test('an interrupted removal is finished by later daemons, and other sessions lose nothing', async () => {
  const { store, file } = tempStore()
  fill(store, 's_1', 10)
  fill(store, 's_2', large)
  store.sessions.delete('s_2')
  store.close()

  let rounds = 0
  for (let left = true; left; rounds++) {
    const next = reopen(file)
    fill(next, `s_new${rounds}`, 5)
    const reclaimer = reclaimerOf(next, tempDir())
    await reclaimer.reclaim()
    await reclaimer.close()
    left = next.deletions.removeEvents()
    expect(next.events.bounds('s_2').head).toBe(0)
    next.close()
  }
  expect(rounds).toBeGreaterThan(1)
  const after = reopen(file)
  expect(after.events.bounds('s_1')).toEqual({ first: 1, head: 10 })
  for (let round = 0; round < rounds; round++) expect(after.events.bounds(`s_new${round}`).head).toBe(5)
})

test('the files of a deleted session are removed, those of other sessions stay', async () => {
  const { store } = tempStore()
  const dir = tempDir()
  for (const id of ['s_1', 's_2']) {
    fill(store, id, 3)
    store.processes.save(processOf(id, `p_${id}`, { endedAt: 1 }))
    for (const kind of ['raw', 'times', 'err']) writeFileSync(join(dir, `p_${id}.${kind}`), 'x')
  }
  store.sessions.delete('s_2')
  await reclaimerOf(store, dir).reclaim()
  expect(readdirSync(dir).toSorted()).toEqual(['p_s_1.err', 'p_s_1.raw', 'p_s_1.times'])
  expect(store.deletions.processes()).toEqual([])
})

const text = { delta: 'x'.repeat(200) }

function fill(store: Store, id: string, count: number) {
  store.transaction(() => {
    store.sessions.add(session(id))
    store.events.append(id, events(1, count, text))
  })
}

function reclaimerOf(store: Store, processesDir: string): Reclaimer {
  const reclaimer = createReclaimer({ store, processesDir, log: createLog('silent') })
  onTestFinished(() => reclaimer.close())
  return reclaimer
}
