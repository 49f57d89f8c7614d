import type { BackgroundTask } from '../agent.ts'
import { listOf, nameOf, type Shape, shapeOf, stringOf } from './shape.ts'

/** The tasks that go on in the background of a process. Plain data: a snapshot holds it. */
export interface BackgroundTasks {
  readonly ids: readonly string[]
  /** What Claude Code says of each, where it says anything; the beginning of it. */
  readonly descriptions: Readonly<Record<string, string>>
  /** Claude Code lists them itself (`background_tasks_changed`): then nothing else counts. */
  readonly listed: boolean
}

export const noBackgroundTasks: BackgroundTasks = { ids: [], descriptions: {}, listed: false }

/**
 * The tasks after a frame; the same object where the frame says nothing about them. Claude Code lists them since about
 * 2.1.277. Older versions, 2.1.197 among them, only print the start and the end of each task; a task that is over before
 * its turn ends was no background work, and is gone by then.
 */
export function followBackgroundTasks(tasks: BackgroundTasks, frame: unknown): BackgroundTasks {
  const read = shapeOf(frame)
  if (read?.['type'] !== 'system') return tasks
  if (read['subtype'] === 'background_tasks_changed') {
    // Ambient ones are watchers and housekeeping: no activity that anybody waits for.
    const work = listOf(read['tasks'])
      .map(shapeOf)
      .filter(task => task?.['ambient'] !== true)
    const ids = work.map(task => stringOf(task?.['task_id']) ?? '')
    return { ids, descriptions: Object.fromEntries(work.flatMap(described)), listed: true }
  }
  const id = nameOf(read['task_id'])
  if (tasks.listed || id === undefined) return tasks
  const others = tasks.ids.filter(other => other !== id)
  const { [id]: _, ...descriptions } = tasks.descriptions
  if (read['subtype'] === 'task_started') {
    const all = { ...descriptions, ...Object.fromEntries(described(read)) }
    return { ids: [...others, id], descriptions: all, listed: false }
  }
  const isOver =
    read['subtype'] === 'task_notification' ||
    (read['subtype'] === 'task_updated' && endedStatuses.has(nameOf(shapeOf(read['patch'])?.['status']) ?? ''))
  return isOver && others.length < tasks.ids.length ? { ids: others, descriptions, listed: false } : tasks
}

function described(task: Shape | undefined): [string, string][] {
  const [id, description] = [stringOf(task?.['task_id']), stringOf(task?.['description'])]
  return id === undefined || description === undefined ? [] : [[id, description.slice(0, maxDescription)]]
}

const maxDescription = 200

export const tasksOf = ({ ids, descriptions }: BackgroundTasks): BackgroundTask[] =>
  ids.map(id => {
    const description = descriptions[id]
    return { id, ...(description !== undefined && { description }) }
  })

/** Statuses of a task that is over. */
export const endedStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'killed', 'stopped'])
