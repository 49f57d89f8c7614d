import { randomBytes } from 'node:crypto'
import { appendFileSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createJournal, type Journal } from '../../../daemon/store/journal/journal.ts'
import { openStore } from '../../../daemon/store/open.ts'
import { DiskFull, type Store } from '../../../daemon/store/store.ts'
import { entry, event, run, session } from '../../support/records.ts'

/**
 * Runs the scenario named by its second argument in the directory of its first, which is a small disk of its own.
 * Prints its observations as JSON, which disk-full.full.test.ts checks.
 */
const [directory, scenario] = process.argv.slice(2) as [string, string]
const file = join(directory, 'muxd.db')
const filler = join(directory, 'filler')

const scenarios: Record<string, () => unknown> = {
  small: () => floodAndEnd(seq => (seq % 7 === 0 ? 4_000 : 100)),
  // At this size, on this disk, the write-ahead log ends with more new pages than the ballast has.
  large: () => floodAndEnd(() => 1_500_000),

  async neighbours() {
    const { store, journal } = open('s_large', 's_small')
    const answers = Promise.all([
      append(journal, 's_small', 1, { durable: false, delta: 'x' }),
      append(journal, 's_large', 1, { durable: false, delta: 'x'.repeat(30_000_000) }),
      append(journal, 's_small', 2, { durable: false, delta: 'x' }),
    ])
    journal.flush()
    const result = {
      answers: await answers,
      released: store.ballast.released,
      head: store.events.bounds('s_small').head,
    }
    store.close()
    return result
  },

  async reopen() {
    const first = open('s_1')
    await append(first.journal, 's_1', 1, { durable: false, delta: 'kept' })
    first.store.close()
    fill()
    const before = free()
    const { store, journal } = open()
    const result = {
      before,
      kept: store.events.bounds('s_1').head,
      released: store.ballast.released,
      regular: await append(journal, 's_1', 2, { durable: false, delta: '' }),
      durable: await append(journal, 's_1', 2, { durable: true, delta: '' }),
    }
    store.close()
    return result
  },

  transaction() {
    const { store } = open('s_1')
    fill()
    const errors: unknown[] = []
    const attempt = (work: () => void) => {
      try {
        work()
        errors.push(null)
      } catch (error) {
        errors.push(nameOf(error))
      }
    }
    const large = [event(1, { delta: 'x'.repeat(2_000_000) })]
    attempt(() => store.transaction(() => store.events.append('s_1', large)))
    attempt(() => store.events.append('s_1', large))
    attempt(() =>
      store.requests.save({ key: 'k', method: 'm', paramsHash: 'h', answer: 'x'.repeat(2_000_000), time: 1 }),
    )
    const head = store.events.bounds('s_1').head
    rmSync(filler)
    attempt(() => store.transaction(() => store.events.append('s_1', large)))
    const result = { errors, head, after: store.events.bounds('s_1').head }
    store.close()
    return result
  },
}

const ends = Array.from({ length: 50 }, (_, index) => `s_${index}`)

void Promise.resolve(scenarios[scenario]!()).then(result => process.stdout.write(JSON.stringify(result)))

/** Appends events until one fails, then the ends of fifty runs. Then frees space and continues. */
async function floodAndEnd(sizeOf: (seq: number) => number): Promise<unknown> {
  // The file that the user removes later.
  appendFileSync(filler, randomBytes(12 * 1024 * 1024))
  const { store, journal, published } = open('s_flood', ...ends)
  const ballast = statSync(join(directory, 'ballast'))
  const allocated = ballast.blocks * 512

  const failure = flood(journal, sizeOf)
  const atFailure = { head: store.events.bounds('s_flood').head, published: published.get('s_flood'), free: free() }
  const heldStill = !store.ballast.released

  fill()
  const stored = []
  for (const id of ends) stored.push(await append(journal, id, 1, { durable: true, delta: 'x'.repeat(20_000) }))
  const released = store.ballast.released
  const refused = await append(journal, 's_flood', atFailure.head + 1, { durable: false, delta: '' })

  rmSync(filler)
  let tries = 0
  let accepted: unknown
  do {
    await new Promise(resolve => setTimeout(resolve, 50))
    accepted = await append(journal, 's_flood', atFailure.head + 1, { durable: false, delta: '' })
  } while (accepted !== 'stored' && ++tries < 100)
  const heldAgain = !store.ballast.released && statSync(join(directory, 'ballast')).size
  store.close()

  const again = openStore(file)
  const kept = {
    head: again.events.bounds('s_flood').head,
    ends: ends.filter(id => again.events.bounds(id).head === 1 && again.runs.get(`r_${id}`)?.run.state === 'failed'),
  }
  again.close()
  return { allocated, failure, atFailure, heldStill, stored, released, refused, accepted, heldAgain, kept }
}

function open(...sessions: string[]): { store: Store; journal: Journal; published: Map<string, number> } {
  const store = openStore(file)
  for (const id of sessions) {
    store.sessions.add(session(id))
    store.runs.save(run(`r_${id}`, id))
  }
  const published = new Map<string, number>()
  const journal = createJournal(store, {
    sessionEvents: (id, rows) => published.set(id, rows.at(-1)!.seq),
    record: () => undefined,
  })
  return { store, journal, published }
}

/** Appends events turn by turn until one cannot be stored. Returns the reason. */
function flood(journal: Journal, sizeOf: (seq: number) => number): unknown {
  const failures: unknown[] = []
  for (let seq = 1; failures.length === 0; seq++) {
    const row = event(seq, { delta: randomBytes(sizeOf(seq)).toString('hex') })
    journal.append(entry('s_flood', [row], { onFailed: error => failures.push(nameOf(error)) }))
    journal.flush()
  }
  return failures[0]
}

function append(
  journal: Journal,
  id: string,
  seq: number,
  { durable, delta }: { durable: boolean; delta: string },
): Promise<unknown> {
  return new Promise(resolve => {
    const runs = durable ? [run(`r_${id}`, id, { state: 'failed' })] : []
    const onPublished = () => resolve('stored')
    const onFailed = (error: unknown) => resolve(nameOf(error))
    journal.append(entry(id, [event(seq, { delta })], { durable, runs, onPublished, onFailed }))
  })
}

/** Fills the disk to the last page. */
function fill(): void {
  for (const size of [1_000_000, 4_096]) {
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(size, 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

function free(): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

function nameOf(error: unknown): string {
  return error instanceof DiskFull ? 'DiskFull' : String(error)
}
