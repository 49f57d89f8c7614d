import { protocolVersion } from '../../../protocol/wire.ts'
import type { DaemonStatus } from '../../sdk/index.ts'
import { sdkVersion } from '../../sdk/version.ts'
import { age, bytes, count, duration, shortPath, table } from './format.ts'
import { oneLine } from '../screen/text.ts'

/** Renders the daemon's status: one line for each subject, details indented below it. */
export function statusLines(now: DaemonStatus, time: number): string[] {
  const { runs, disk, memory } = now
  const states = Object.entries(runs).map(([state, amount]) => `${count(amount)} ${state}`)
  const rows: [string, string, ...string[]][] = [
    [
      'daemon',
      `muxd ${now.version}, pid ${now.pid}, up ${duration(now.uptimeMs)}, Node ${now.node}`,
      ...replacementOf(now),
    ],
    ['url', now.url],
    ['home', shortPath(now.home)],
    ...agentsOf(now),
    ['pty-host', ptyHostOf(now.ptyHost)],
    ['sessions', `${count(now.sessions)}, ${count(now.processes)} with a live process`],
    ['runs', `${states.join(', ') || 'none'} (at most ${now.maxRuns} at once)`],
    ['clients', `${count(now.connections)}, ${count(now.subscriptions)} subscriptions`, ...laggards(now.subscribers)],
    ['output', ...outputOf(now.checkpoints)],
    ...(now.notifications ? [['notified', notifiedOf(now.notifications)] as [string, string]] : []),
    ['memory', `${bytes(memory.rssBytes)}, of them ${bytes(memory.heapBytes)} heap`],
    [
      'database',
      `${bytes(disk.databaseBytes)}, with ${bytes(disk.walBytes)} write-ahead log (moved ${age(time - disk.walMovedAt)} ago)`,
    ],
    ['raw logs', bytes(disk.rawBytes)],
    ['free', bytes(disk.freeBytes)],
  ]
  return rows.flatMap(([name, first, ...more]) => [
    `${name.padEnd(10)}${first}`,
    ...more.map(line => `${' '.repeat(indent)}${line}`),
  ])
}

const indent = 12

/** Says how to replace a daemon of another protocol version, with which this program can do little else. */
function replacementOf({ protocol }: DaemonStatus): string[] {
  if (protocol === protocolVersion) return []
  return [`protocol ${protocol}: muxd restart replaces it with muxd ${sdkVersion}, protocol ${protocolVersion}`]
}

function agentsOf({ agents }: DaemonStatus): [string, string][] {
  if (agents.length === 0) return [['claude', 'not found']]
  return agents.map(({ kind, version, path }) => [kind, `${version}, ${oneLine(shortPath(path))}`])
}

/** Renders the state of the pty-host; `muxd doctor` uses it too. */
export function ptyHostOf({ state, pid, version, uptimeMs = 0, processes }: DaemonStatus['ptyHost']): string {
  if (pid === undefined) return state
  const held = `${count(processes)} ${processes === 1 ? 'process' : 'processes'}`
  return `${state === 'connected' ? '' : `${state}, `}pid ${pid}, up ${duration(uptimeMs)}, ${held}, muxd ${version}`
}

/** Renders the subscriptions that are furthest behind, if any. */
function laggards({ furthest }: DaemonStatus['subscribers']): string[] {
  const rows = furthest
    .flatMap(({ name, unsentBytes, subscriptions }) =>
      subscriptions.map(({ topic, lag }) => ({ name, unsentBytes, topic, lag })),
    )
    .filter(({ lag }) => lag > 0)
    .toSorted((one, other) => other.lag - one.lag)
    .slice(0, laggardsShown)
    .map(({ name, unsentBytes, topic, lag }) => [
      oneLine(topic.replace(/^session\//, '')),
      count(lag),
      bytes(unsentBytes),
      oneLine(name),
    ])
  return rows.length === 0 ? [] : table(['topic', 'behind', 'unsent', 'client'], rows, 80 - indent, 3)
}

const laggardsShown = 5

const notifiedOf = ({ sent, failed, dropped, waiting }: NonNullable<DaemonStatus['notifications']>): string =>
  `${count(sent)} sent, ${count(failed)} failed, ${count(dropped)} dropped, ${count(waiting)} waiting`

function outputOf({ behindBytes, behind, furthest }: DaemonStatus['checkpoints']): [string, ...string[]] {
  if (behind === 0) return ['all of it is stored as events']
  const processes = `${count(behind)} ${behind === 1 ? 'process' : 'processes'}`
  return [
    `${bytes(behindBytes)} of ${processes} is not stored as events yet`,
    ...furthest.map(({ session, rawBytes, behindBytes: its }) => `${session}  ${bytes(its)} of ${bytes(rawBytes)}`),
  ]
}
