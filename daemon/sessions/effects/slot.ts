import type { WaitingFor } from '../../../protocol/index.ts'
import type { Scheduler, RunSlot } from '../scheduling/scheduler.ts'
import type { Effect } from '../machine/effect.ts'

type SlotEffect = Extract<Effect['effect'], `${string}_slot`>

/** The slot of a session's active run, requested or held. */
export interface Slot {
  carryOut(effect: SlotEffect): void
}

export function createSlot(
  scheduler: Scheduler,
  session: { startsProcess(): boolean; granted(): void; waits(what: WaitingFor): void },
): Slot {
  let slot: RunSlot | undefined
  // The current request. Callbacks of a withdrawn one are ignored.
  let asked: object | undefined

  return {
    carryOut(effect) {
      switch (effect) {
        case 'ask_slot': {
          const request = {}
          slot?.leave()
          asked = request
          const isAsked = () => asked === request
          slot = scheduler.request({
            startsProcess: session.startsProcess,
            granted: () => void (isAsked() && session.granted()),
            waits: what => void (isAsked() && session.waits(what)),
          })
          return
        }
        case 'give_slot':
          asked = undefined
          slot?.leave()
          slot = undefined
          return
        case 'take_slot':
          slot ??= scheduler.take()
          return
        case 'lend_slot':
          return slot?.lend()
        case 'reclaim_slot':
          return slot?.takeBack()
        default:
          effect satisfies never
      }
    },
  }
}
