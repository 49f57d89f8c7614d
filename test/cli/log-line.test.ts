import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { dayOf, parseLogLine, renderLogLine } from '../../client/cli/render/log-line.ts'
import { createLog } from '../../daemon/log/log.ts'

const colors = picocolors.createColors(false)

/** Writes a line as the daemon does. Returns it as the command line shows it. */
function shown(write: (log: ReturnType<typeof createLog>) => void, source = 'daemon'): string {
  let text = ''
  write(createLog('debug', 'json', line => (text = line)))
  const line = parseLogLine(text)!
  return renderLogLine(line, source, colors)
}

describe('a log line', () => {
  it('shows its time of day, message and details', () => {
    const words = shown(log => log.info('listening', { url: 'ws://x', pid: 7, list: [1] }))
    expect(words).toMatch(/^\d\d:\d\d:\d\d listening · url ws:\/\/x · pid 7 · list \[1\]$/)
  })

  it('shows its source and level when they are not the usual ones', () => {
    expect(shown(log => log.warn('low'), 'pty-host')).toMatch(/^[\d:]+ pty-host warn low$/)
    expect(shown(log => log.debug('seen'))).toMatch(/^[\d:]+ debug seen$/)
  })

  it('shows the stack and the cause of an error, but not of a warning', () => {
    const error = new Error('out of cheese', { cause: new Error('mice') })
    const [head, ...stack] = shown(log => log.error('failed', { error })).split('\n')
    expect(head).toMatch(/^[\d:]+ error failed · error out of cheese$/)
    expect(stack[0]).toMatch(/^ {9}at .*log-line\.test/)
    expect(stack.join('\n')).toContain('caused by: mice')
    expect(shown(log => log.warn('failed', { error }))).not.toContain('\n')
  })

  it('contains no control characters', () => {
    const words = shown(log => log.info('title \u001b]0;owned\u0007', { '\u001b[2J': '\u001b[31m\nred' }))
    expect(words.slice(9)).toBe('title ]0;owned · [2J [31m red')
  })

  it.each(['', '{"time":"2', '[]', '{}', '{"time":"t","level":"loud","message":"m"}'])('is not %s', text => {
    expect(parseLogLine(text)).toBeUndefined()
  })

  it('belongs to a day in local time', () => {
    const here = new Date(2026, 0, 2, 23, 59).toISOString()
    expect(dayOf(parseLogLine(JSON.stringify({ time: here, level: 'info', message: 'm' }))!)).toBe('2026-01-02')
  })
})
