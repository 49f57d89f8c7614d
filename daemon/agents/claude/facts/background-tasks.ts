import type { BackgroundTask } from '../../agent.ts'
import { listOf, nameOf, type Shape, shapeOf, stringOf } from '../frame/shape.ts'

/** The background tasks of a process. Plain data, because a snapshot holds it. */
export interface BackgroundTasks {
  readonly ids: readonly string[]
  /** The beginning of the description of each task that has one, by task id. */
  readonly descriptions: Readonly<Record<string, string>>
  /** Claude Code lists the tasks itself (`background_tasks_changed`). Then nothing else counts. */
  readonly listed: boolean
}

export const noBackgroundTasks: BackgroundTasks = { ids: [], descriptions: {}, listed: false }

/**
 * Returns the tasks after a frame, or the same object if the frame does not concern them. Claude Code lists the tasks
 * since about 2.1.277. Older versions, for example 2.1.197, print only the start and the end of each task. A task that
 * ends before its turn was not background work, and is removed by then.
 */
export function followBackgroundTasks(tasks: BackgroundTasks, frame: unknown): BackgroundTasks {
  const read = shapeOf(frame)
  if (read?.['type'] !== 'system') return tasks
  if (read['subtype'] === 'background_tasks_changed') {
    // Ambient tasks are watchers and housekeeping. No run waits for them.
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

/** The statuses of an ended task. */
export const endedStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'killed', 'stopped'])
