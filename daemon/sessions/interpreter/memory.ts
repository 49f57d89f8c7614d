import type { StoredProcess } from '../../store/store.ts'
import type { Machine } from '../machine/machine.ts'
import type { Records } from '../machine/project.ts'
import type { Reread } from '../recovery/snapshots.ts'

/** The state of a session in memory. A restoration replaces it with what is stored. */
export interface Memory {
  m: Machine
  /** The records as they are stored, or are about to be. */
  records: Records | undefined
  /** The record of the process, if it has one. */
  row: StoredProcess | undefined
  /** The record of the process has changed without a step, and must be stored with the next entry. */
  owesRow: boolean
  /** Incremented each time the memory is forgotten and restored. */
  life: number
  /** How much output the last restoration has read again. */
  reread: Reread | undefined
  /** `leaving`: only the results of a start or a clean-up under way are taken. `over`: nothing is taken any more. */
  mode: 'open' | 'leaving' | 'over'
  /** Why the daemon stops. */
  stopReason: string | undefined
}
