import type { Effect } from '../machine/effect.ts'
import type { SessionContext } from '../session-context.ts'
import type { ProcessEffects } from './process-effects.ts'
import type { Slot } from './slot.ts'

/** Carries out the effects of the machine. Called after the commit of their entry. */
export interface Effects {
  carryOut(effect: Effect): void
}

export interface EffectsOptions {
  context: Pick<SessionContext, 'scheduler' | 'onProcessIdle'>
  slot: Slot
  process: ProcessEffects
  /** Called when the session has ended everything, because the daemon stops. */
  stopped(): void
}

export function createEffects({ context, slot, process, stopped }: EffectsOptions): Effects {
  return {
    carryOut(effect) {
      switch (effect.effect) {
        case 'ask_slot':
        case 'give_slot':
        case 'take_slot':
        case 'lend_slot':
        case 'reclaim_slot':
          return slot.carryOut(effect.effect)
        case 'process_idle':
          return context.onProcessIdle()
        case 'process_gone':
          return context.scheduler.recheck()
        case 'stopped':
          return stopped()
        // Calls are answered with the entry, and the session is forgotten when it has nothing left to store.
        case 'answer':
        case 'refuse':
        case 'forget':
          return
        default:
          return process.carryOut(effect)
      }
    },
  }
}
