import type { Colors } from 'picocolors/types.js'
import { harmless, oneLine } from '../screen/text.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** A line of a log, which the daemon writes as `{ time, level, message, … }`. */
export interface LogLine {
  time: string
  level: LogLevel
  message: string
  details: Record<string, unknown>
}

/** Parses a line. Returns undefined for other text, such as a cut line. */
export function parseLogLine(text: string): LogLine | undefined {
  try {
    const { time, level, message, ...details } = JSON.parse(text) as Record<string, unknown>
    if (typeof time !== 'string' || typeof message !== 'string') return undefined
    if (!(logLevels as readonly unknown[]).includes(level)) return undefined
    return { time, level: level as LogLevel, message, details }
  } catch {
    return undefined
  }
}

/**
 * Renders a line for a person: the local time, the level unless it is `info`, the message and details; below an error
 * its stack.
 */
export function renderLogLine({ time, level, message, details }: LogLine, source: string, colors: Colors): string {
  const { dim, yellow, red } = colors
  const shade = level === 'error' ? red : level === 'warn' ? yellow : level === 'debug' ? dim : plain
  const words = Object.entries(details).map(([name, value]) => dim(`${oneLine(name)} `) + wordOf(value))
  const from = source === 'daemon' ? '' : dim(`${source} `)
  const head = `${dim(timeOf(time))} ${from}${level === 'info' ? '' : shade(`${level} `)}${shade(oneLine(message))}`
  const told = level === 'error' ? Object.values(details) : []
  const stacks = told.flatMap(value => stackOf(value).map(line => dim(`         ${line}`)))
  return [[head, ...words].join(dim(' · ')), ...stacks].join('\n')
}

/** Returns the local day of a line. */
export const dayOf = ({ time }: LogLine): string => {
  const at = new Date(time)
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join('-')
}

const timeOf = (time: string): string => {
  const at = new Date(time)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')
}

const twoDigits = (part: number) => String(part).padStart(2, '0')
const plain = (text: string) => text

function wordOf(value: unknown): string {
  if (isError(value)) return oneLine(value.message)
  return typeof value === 'string' ? oneLine(value) : oneLine(JSON.stringify(value))
}

/** Returns the stack of an error and its causes, without its message, which the line above contains. */
function stackOf(value: unknown): string[] {
  if (!isError(value)) return []
  const places = (value.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  const { cause } = value
  const causes = isError(cause) ? [`caused by: ${oneLine(cause.message)}`, ...stackOf(cause)] : []
  return [...places.map(line => harmless(line).trim()), ...causes]
}

type PlainError = { message: string; stack?: string; cause?: unknown }

const isError = (value: unknown): value is PlainError =>
  typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
