import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkpointDistances } from '../../daemon/checkpoints.ts'
import { tempStore } from '../store/temp-store.ts'
import { processOf, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'

it('checkpointDistances sums the output beyond checkpoints of live processes and lists the furthest five', async () => {
  const { store } = tempStore()
  const directory = tempDir()
  store.sessions.add(session('s_1'))
  const add = (id: string, rawBytes: number, offset: number, endedAt: number | null = null) => {
    store.processes.save(processOf('s_1', id, { offset, endedAt }))
    writeFileSync(join(directory, `${id}.raw`), 'x'.repeat(rawBytes))
  }
  const distances = () => checkpointDistances(store.processes, directory)
  expect(await distances()).toEqual({ behindBytes: 0, behind: 0, furthest: [] })

  for (let number = 1; number <= 7; number++) add(`p_${number}`, 100, 100 - number)
  add('p_even', 100, 100)
  add('p_ended', 100, 0, 1)
  store.processes.save(processOf('s_1', 'p_without_log', { offset: 50 }))
  const { behindBytes, behind, furthest } = await distances()
  expect({ behindBytes, behind }).toEqual({ behindBytes: 1 + 2 + 3 + 4 + 5 + 6 + 7, behind: 7 })
  expect(furthest.map(({ process }) => process)).toEqual(['p_7', 'p_6', 'p_5', 'p_4', 'p_3'])
  expect(furthest[0]).toEqual({ process: 'p_7', session: 's_1', rawBytes: 100, checkpoint: 93, behindBytes: 7 })

  store.processes.checkpoint('p_7', 100)
  truncateSync(join(directory, 'p_6.raw'), 1_000)
  expect(await distances()).toMatchObject({
    behindBytes: 1 + 2 + 3 + 4 + 5 + 906,
    furthest: [{ process: 'p_6' }, {}, {}, {}, {}],
  })
})
