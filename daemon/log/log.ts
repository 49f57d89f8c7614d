import { isSecretName, redact, redacted } from './redact.ts'

/** Writes structured log lines to stderr or a file (`log-file.ts`), with secrets redacted. */
export interface Log {
  debug(message: string, details?: object): void
  info(message: string, details?: object): void
  warn(message: string, details?: object): void
  error(message: string, details?: object): void
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export const isLogLevel = (text: string): text is LogLevel => (logLevels as readonly string[]).includes(text)

/** `json`: one JSON object a line, for programs. `text`: for a person at a terminal. */
export type LogFormat = 'json' | 'text'

export function createLog(
  level: LogLevel,
  format: LogFormat = 'json',
  write: (line: string) => void = line => process.stderr.write(line),
): Log {
  const threshold = logLevels.indexOf(level)
  const at =
    (name: Exclude<LogLevel, 'silent'>) =>
    (message: string, details: object = {}) => {
      if (logLevels.indexOf(name) < threshold) return
      const time = new Date().toISOString()
      const line = format === 'json' ? asJson(time, name, message, details) : asText(time, name, message, details)
      write(`${line}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const asJson = (time: string, level: string, message: string, details: object) =>
  JSON.stringify({ time, level, message, ...plain(details) }, (name, value: unknown) => {
    if (typeof value !== 'string') return value
    return isSecretName(name) ? redacted : redact(value)
  })

function asText(time: string, level: string, message: string, details: object): string {
  const words = Object.entries(details).map(([key, value]) => {
    if (value instanceof Error) return `${key}: ${value.message}`
    return `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`
  })
  const mark = level === 'info' ? '' : `${level}: `
  return redact(`${time.slice(11, 19)} ${mark}${[message, ...words].join(' · ')}`)
}

// JSON.stringify drops the properties of errors. A reader of the log needs name, message, stack and cause.
function plain(details: object): object {
  return Object.fromEntries(
    Object.entries(details).map(([key, value]) => [key, value instanceof Error ? plainError(value) : value]),
  )
}

function plainError(error: Error): object {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error && { cause: plainError(error.cause) }),
  }
}
