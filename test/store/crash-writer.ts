import { createJournal } from '../../daemon/store/journal/journal.ts'
import { openStore } from '../../daemon/store/open.ts'
import { createRandom } from '../support/random.ts'
import { acts, entry, event, processOf, run, session } from '../support/records.ts'

/**
 * Writes to a database until it is killed. The first argument is the database, the second the seed of the random
 * choices. Each turn appends a few events, as many acts, and their checkpoint to each of three sessions, sometimes as a durable
 * entry. Continues from the events that it finds. Prints some of the published positions: `<session> <seq>`. It does
 * little else, so that most kills hit a commit.
 */
const store = openStore(process.argv[2]!, { ballastBytes: 0 })
const random = createRandom(Number(process.argv[3]))
const heard = new Map<string, number>()
const journal = createJournal(store, {
  sessionEvents: (id, rows) => heard.set(id, rows.at(-1)!.seq),
  record: () => undefined,
})
const ids = ['s_1', 's_2', 's_3']

for (const id of ids) {
  if (store.sessions.get(id) !== undefined) continue
  const made = {
    sessionRecord: session(id),
    created: true,
    process: processOf(id, `p_${id}`),
    runs: [run(`r_${id}`, id)],
  }
  journal.append(entry(id, [], made))
}
journal.flush()

const filling = 'x'.repeat(300)
const heads = new Map(ids.map(id => [id, store.events.bounds(id).head]))

function turn(): void {
  for (const id of ids) {
    const owner = `p_${id}`
    const head = heads.get(id)!
    const count = random.whole(1, 4)
    const rows = Array.from({ length: count }, (_, index) => {
      const seq = head + index + 1
      return event(seq, {
        process: owner,
        offset: seq * 100,
        delta: filling.slice(random.whole(0, filling.length - 1)),
      })
    })
    const last = head + count
    heads.set(id, last)
    const durable = random.chance(0.1)
    const isTold = durable || random.chance(0.1)
    const onPublished = () => isTold && process.stdout.write(`${id} ${last}\n`)
    const record = run(`r_${id}`, id, { firstSeq: 1, lastSeq: last })
    journal.append(
      entry(id, rows, {
        acts: acts(head + 1, last, { process: owner, offset: last * 100 }),
        checkpoint: { process: owner, offset: last * 100 },
        runs: [record],
        durable,
        onPublished,
      }),
    )
  }
  setImmediate(turn)
}
turn()
