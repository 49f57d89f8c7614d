import { type Calls, dueAnswers } from './calls.ts'
import type { Effects } from '../effects/effects.ts'
import type { Entries } from './entries.ts'
import { passThrowPoints } from './faults.ts'
import { canJoin, gather, type Gathering, join, rowAfter } from './gathering.ts'
import type { Inbox } from './inbox.ts'
import type { Effect } from '../machine/effect.ts'
import { step } from '../machine/step.ts'
import type { Memory } from './memory.ts'
import type { Snapshots } from '../recovery/snapshots.ts'
import type { Restoration } from './restoration.ts'
import type { Session } from '../../../protocol/index.ts'

export interface InterpreterOptions {
  build: string
  memory: Memory
  inbox: Inbox
  calls: Calls
  entries: Entries
  snapshots: Snapshots
  effects: Effects
  restoration: Restoration
  /** The session's record, as it is now. */
  record(): Session
}

/**
 * Returns a function that takes the waiting inputs and stores the results of their steps, as one entry unless they
 * concern two processes.
 */
export function createInterpreter(options: InterpreterOptions): () => void {
  const { build, memory, inbox, calls, entries, snapshots, effects, restoration, record } = options

  function takeInputs() {
    let g: Gathering | undefined
    for (let input = inbox.next(); input; input = inbox.next()) {
      try {
        const { m, row, records } = memory
        const before = { process: m.s.process, row: g ? rowAfter(g, row) : row, records: g?.records ?? records }
        if ('call' in input) calls.taken(input.call)
        passThrowPoints(input)
        const next = gather(m, before, input, step(m, input), build)
        if (!g || canJoin(g, next)) g = g ? join(g, next) : next
        else {
          storeEntry(g, true)
          g = next
        }
      } catch (error) {
        // The results of the steps before are stored.
        if (g) storeEntry(g, true)
        return restoration.contain(error, input)
      }
    }
    try {
      if (g) storeEntry(g, false)
    } catch (error) {
      restoration.contain(error, undefined)
    }
  }

  /** `isCut`: the state already includes steps that are not part of this entry, so a snapshot would not fit it. */
  function storeEntry(g: Gathering, isCut: boolean) {
    const { m, life, records, owesRow } = memory
    memory.records = g.records
    memory.row = rowAfter(g, memory.row)
    const { row } = memory
    const applied = { lines: g.lines, acts: g.acts.length, begun: g.begun }
    const snapshot = isCut ? undefined : snapshots.take(m.s, applied)
    entries.store({
      gathering: g,
      records,
      answers: dueAnswers(calls, g.effects, record),
      ...(owesRow && row && { row }),
      snapshot,
      onCommitted() {
        // A restoration gives up the slot: slot effects from before it are void.
        const due = life === memory.life ? g.effects : g.effects.filter(isNoSlotEffect)
        inbox.alone(() => due.forEach(carryOut))
      },
      onFailed(error) {
        if (life === memory.life) restoration.notStored(error)
      },
    })
    memory.owesRow = false
  }

  function carryOut(effect: Effect) {
    try {
      effects.carryOut(effect)
    } catch (error) {
      restoration.contain(error, undefined)
    }
  }

  return takeInputs
}

const isNoSlotEffect = ({ effect }: Effect) => !effect.endsWith('_slot')
