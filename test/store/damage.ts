import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createJournal } from '../../daemon/store/journal/journal.ts'
import { openStore } from '../../daemon/store/open.ts'
import { DatabaseRefused, type Store } from '../../daemon/store/store.ts'
import { entry, event, processOf, run, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The stored content, to compare with. */
export interface Truth {
  epoch: string
  events: Map<string, string[]>
  records: { sessions: unknown[]; runs: unknown[]; answers: unknown[] }
}

const options = { ballastBytes: 0, boot: 'boot' }
const ids = ['s_1', 's_2', 's_3', 's_4']
const keys = ['k_1', 'k_2']

/**
 * Creates a database of about 100 pages. It is closed in order, or left as a killed daemon leaves it, with about half
 * of it in the write-ahead log. It is opened again in between.
 */
export function makeDatabase(closed: boolean): { directory: string; truth: Truth } {
  const directory = tempDir()
  const events = new Map<string, string[]>(ids.map(id => [id, []]))
  const first = openStore(join(directory, 'muxd.db'), options)
  for (const id of ids) {
    first.sessions.add(session(id))
    first.processes.save(processOf(id, `p_${id}`))
    first.runs.save(run(`r_${id}`, id))
  }
  for (const key of keys) {
    first.requests.save({ key, method: 'run.start', paramsHash: 'h', answer: '{"run":"r_1"}', time: 1 })
  }
  write(first, events)
  first.close()
  const second = openStore(join(directory, 'muxd.db'), options)
  write(second, events)
  const truth = { epoch: second.epoch, events, records: recordsOf(second) }
  const left = tempDir()
  if (!closed) copy(directory, left)
  second.close()
  return { directory: closed ? directory : left, truth }
}

function write(store: Store, events: Map<string, string[]>): void {
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  for (let round = 0; round < 12; round++) {
    for (const [index, id] of ids.entries()) {
      const texts = events.get(id)!
      const process = round % 5 === 4 ? null : `p_${id}`
      const rows = [0, 1, 2].map(more => {
        const seq = texts.length + more + 1
        // Some events are larger than a page.
        const size = seq % 29 === 0 ? 9_000 : (seq * 37) % 300
        return event(seq, {
          process,
          offset: process === null ? null : seq * 100,
          delta: String.fromCharCode(97 + index).repeat(size),
        })
      })
      texts.push(...rows.map(({ text }) => text))
      const head = texts.length
      const part = process
        ? { checkpoint: { process, offset: head * 100 } }
        : { sessionRecord: session(id, { head }), runs: [run(`r_${id}`, id, { lastSeq: head })] }
      journal.append(entry(id, rows, part))
    }
    journal.flush()
  }
}

/** Copies a database with one of its files changed. */
export function copyDamaged(from: string, name: string, change: (bytes: Buffer) => Buffer): string {
  const to = tempDir()
  copy(from, to)
  writeFileSync(join(to, name), change(readFileSync(join(to, name))))
  return to
}

function copy(from: string, to: string): void {
  for (const name of ['muxd.db', 'muxd.db-wal', 'muxd.db-shm']) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
  }
}

/**
 * Opens a database that may be damaged and compares it with the truth. Everything must be unchanged or reported:
 * refused, a `log_damaged` in place of an event, or a new epoch. Returns which; throws for silent damage.
 */
export function reportOf(directory: string, truth: Truth): 'refused' | 'new epoch' | 'damaged' | 'as it was' {
  const logged = new Set<string>()
  const log = { warn: () => {}, error: (_text: string, at?: object) => void logged.add(JSON.stringify(at)) }
  let store: Store
  try {
    store = openStore(join(directory, 'muxd.db'), { ...options, log })
  } catch (error) {
    return refused(error)
  }
  try {
    const isNew = store.epoch !== truth.epoch
    let told = 0
    for (const [id, texts] of truth.events) told += compareLog(store, id, texts, isNew, logged)
    if (isNew) return 'new epoch'
    goOn(store, truth, logged)
    compareRecords(store, truth)
    return told > 0 ? 'damaged' : 'as it was'
  } catch (error) {
    return refused(error)
  } finally {
    store.close()
  }
}

function refused(error: unknown): 'refused' {
  if (error instanceof DatabaseRefused) return 'refused'
  throw error
}

/**
 * Returns the number of events reported as damaged. In a new epoch the log may end early, because no client takes its
 * numbers for those of the old one.
 */
function compareLog(store: Store, id: string, texts: string[], isNew: boolean, logged: Set<string>): number {
  const { first, head } = store.events.bounds(id)
  if (first !== 1 || head > texts.length) throw new Error(`${id}: ${first} to ${head} of ${texts.length}`)
  if (head < texts.length && !isNew) throw new Error(`${id} ends with ${head} instead of ${texts.length}`)
  const found: string[] = []
  while (found.length < head) found.push(...store.events.read(id, found.length, 50, 20_000))
  let told = 0
  const isTold = (seq: number, text: string) => {
    if (text === texts[seq - 1]) return false
    const served = JSON.parse(text) as { seq: number; type: string }
    const isDamage = served.type === 'log_damaged' && served.seq === seq
    if (isDamage && logged.has(JSON.stringify({ session: id, seq }))) return true
    throw new Error(`${id}: event ${seq} is ${text.slice(0, 200)}`)
  }
  for (const [index, text] of found.entries()) {
    if (isTold(index + 1, text)) told++
    isTold(index + 1, store.events.get(id, index + 1)!.text)
  }
  return told
}

/** Checks that new events follow all earlier ones and change none of them. An append may be refused. */
function goOn(store: Store, { events }: Truth, logged: Set<string>): void {
  for (const [id, texts] of events) {
    const row = event(texts.length + 1)
    try {
      store.events.append(id, [row])
    } catch (error) {
      refused(error)
      continue
    }
    compareLog(store, id, [...texts, row.text], false, logged)
  }
}

function compareRecords(store: Store, { records }: Truth): void {
  const found = JSON.stringify(recordsOf(store))
  if (found !== JSON.stringify(records)) throw new Error(`the records are ${found}`)
}

function recordsOf(store: Store): Truth['records'] {
  return {
    sessions: ids.map(id => [
      store.sessions.get(id),
      store.sessions.list({ limit: 9 }).find(each => each.session === id),
    ]),
    runs: [...ids.map(id => store.runs.get(`r_${id}`)), store.runs.list({ limit: 9 }), store.runs.unfinished()],
    answers: keys.map(key => store.requests.get(key)),
  }
}
