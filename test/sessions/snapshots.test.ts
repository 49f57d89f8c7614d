import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createSnapshots, rememberedOf } from '../../daemon/sessions/snapshots.ts'
import { openStore } from '../../daemon/store/open.ts'
import { openConversation } from '../support/conversation.ts'
import { processOf, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'

const process = processOf('s_1', 'p_1')

/** Prints texts of the given lengths, one line each. Returns the offset of the last snapshot after each line. */
function say(...lengths: number[]) {
  const store = openStore(join(tempDir(), 'muxd.db'), { ballastBytes: 0 })
  onTestFinished(() => store.close())
  store.sessions.add(session('s_1'))
  store.processes.save(process)
  const { recorder, conversation } = openConversation(store, process)
  const snapshots = createSnapshots({ conversation, recorder, build: 'this', process, linesBetween: 1 })
  let offset = 0
  return lengths.map((length, index) => {
    const content = [{ type: 'text', text: 'x'.repeat(length) }]
    const frame = { type: 'assistant', uuid: `u_${index}`, message: { id: `m_${index}`, content } }
    offset += length
    conversation.line({ frame, offset, time: offset }, process.id)
    snapshots.read(1, offset)
    recorder.commit()
    return rememberedOf(store.snapshots, { ...process, offset }, { build: 'this', head: recorder.head })?.offset
  })
}

it('takes a snapshot when the output since the last one is as large as that snapshot', () => {
  expect(say(10_000, 10_000, 12_000)).toEqual([10_000, 10_000, 32_000])
})

it('stores no snapshot above 4 MiB, and keeps the last smaller one', () => {
  expect(say(1_000_000, 5_000_000, 7_000_000)).toEqual([1_000_000, 1_000_000, 1_000_000])
})
