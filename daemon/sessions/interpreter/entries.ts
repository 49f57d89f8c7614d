import type { JournalEntry } from '../../store/journal/entry.ts'
import { type Due, keptAnswers, settle } from './calls.ts'
import { type Gathering, isDurable } from './gathering.ts'
import { changesOf, type Records } from '../machine/project.ts'
import type { SessionContext } from '../session-context.ts'
import type { StoredProcess, StoredSnapshot } from '../../store/store.ts'

/** Appends the results of a session's steps to the journal. Their effects and answers follow after the commit. */
export interface Entries {
  store(entry: NewEntry): void
  /** Entries that are not committed. */
  readonly uncommitted: number
}

export interface NewEntry {
  gathering: Gathering
  /** The records before the steps. */
  records: Records | undefined
  answers: readonly Due[]
  /** The record of the process, if it has changed without a step. */
  row?: StoredProcess | undefined
  snapshot?: StoredSnapshot | undefined
  /** Carries out the effects. */
  onCommitted(): void
  onFailed(error: unknown): void
}

export interface EntriesOptions {
  context: Pick<SessionContext, 'journal' | 'onPublished'>
  session: string
  /** The session is not stored: its first entry creates it. */
  isNew: boolean
  /** Called when an entry is committed and its effects are carried out. */
  committed(): void
}

export function createEntries({ context, session, isNew, committed }: EntriesOptions): Entries {
  let isStored = !isNew
  let uncommitted = 0
  // Results without anything to store. Their effects and answers follow those of the newest uncommitted entry.
  let followers: NewEntry[] = []

  function follow({ answers, onCommitted }: NewEntry) {
    answers.forEach(settle)
    onCommitted()
  }

  return {
    store(entry) {
      const { gathering: g, answers, row, snapshot, onFailed } = entry
      const changed = changesOf(entry.records, g.records, g)
      const kept = keptAnswers(answers)
      const process = g.process ?? row
      const body = {
        events: g.events,
        acts: g.acts,
        ...(changed.session && { sessionRecord: { ...changed.session, head: g.head } }),
        runs: changed.runs,
        approvals: changed.approvals,
        answers: kept,
        ...(process && { process }),
        ...(g.checkpoint && { checkpoint: g.checkpoint }),
        ...(snapshot && { snapshot }),
      }
      if (Object.values(body).every(part => Array.isArray(part) && part.length === 0)) {
        if (uncommitted === 0) follow(entry)
        else followers.push(entry)
        return
      }
      const after = (when: Due['after']) => answers.filter(each => each.after === when).forEach(settle)
      const behind: NewEntry[] = (followers = [])
      const journaled: JournalEntry = {
        session,
        ...body,
        ...(!isStored && { created: true }),
        durable: isDurable(g),
        onCommitted() {
          after('commit')
          entry.onCommitted()
          // A follower may add further ones to `behind`.
          for (let next = behind.shift(); next; next = behind.shift()) follow(next)
          uncommitted -= 1
          committed()
        },
        onPublished() {
          context.onPublished(changed.runs)
          after('published')
        },
        onFailed(error) {
          uncommitted -= 1
          for (const each of [entry, ...behind.splice(0)]) for (const { call } of each.answers) call.reject(error)
          onFailed(error)
        },
      }
      isStored = true
      uncommitted += 1
      context.journal.append(journaled)
    },
    get uncommitted() {
      return uncommitted
    },
  }
}
