/** Structured log lines, one JSON object each, on stderr. */
export interface Log {
  debug(message: string, details?: object): void
  info(message: string, details?: object): void
  warn(message: string, details?: object): void
  error(message: string, details?: object): void
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export function createLog(level: LogLevel, write: (line: string) => void = line => process.stderr.write(line)): Log {
  const threshold = logLevels.indexOf(level)
  const at =
    (name: Exclude<LogLevel, 'silent'>) =>
    (message: string, details: object = {}) => {
      if (logLevels.indexOf(name) < threshold) return
      write(`${JSON.stringify({ time: new Date().toISOString(), level: name, message, ...plain(details) })}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

// JSON has no errors: name, message, stack and cause are what a reader of the log needs of one.
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
