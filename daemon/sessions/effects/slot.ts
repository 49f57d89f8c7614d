import type { WaitingFor } from '../../../protocol/index.ts'
import type { Admission, Place } from '../scheduling/scheduler.ts'
import type { Effect } from '../machine/effect.ts'

type SlotEffect = Extract<Effect['effect'], `${string}_slot`>

/** The slot of a session among the active runs: asked for or held. */
export interface Slot {
  carryOut(effect: SlotEffect): void
}

export function createSlot(
  admission: Admission,
  session: { startsProcess(): boolean; granted(): void; waits(what: WaitingFor): void },
): Slot {
  let place: Place | undefined
  // A request that was withdrawn says nothing any more.
  let asked: object | undefined

  return {
    carryOut(effect) {
      switch (effect) {
        case 'ask_slot': {
          const request = {}
          place?.leave()
          asked = request
          const isAsked = () => asked === request
          place = admission.request({
            startsProcess: session.startsProcess,
            admitted: () => void (isAsked() && session.granted()),
            waits: what => void (isAsked() && session.waits(what)),
          })
          return
        }
        case 'give_slot':
          asked = undefined
          place?.leave()
          place = undefined
          return
        case 'take_slot':
          place ??= admission.take()
          return
        case 'lend_slot':
          return place?.lend()
        case 'reclaim_slot':
          return place?.takeBack()
        default:
          effect satisfies never
      }
    },
  }
}
