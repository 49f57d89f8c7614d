import { describe, expect, it } from 'vitest'
import { createLog, type LogFormat, type LogLevel } from '../../daemon/log/log.ts'

function logged(level: LogLevel, format: LogFormat): string[] {
  const lines: string[] = []
  const log = createLog(level, format, line => lines.push(line))
  log.debug('looked', { at: 'this' })
  log.info('listening', { url: 'ws://127.0.0.1:1/ws', pid: 7 })
  log.error('failed', { error: new Error('out of cheese', { cause: new Error('mice') }) })
  return lines
}

describe('the log', () => {
  it('has one JSON object per line in the format json, with the whole error', () => {
    const lines = logged('debug', 'json').map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { level: 'debug', message: 'looked', at: 'this' },
      { level: 'info', message: 'listening', url: 'ws://127.0.0.1:1/ws', pid: 7 },
      { level: 'error', message: 'failed', error: { message: 'out of cheese', cause: { message: 'mice' } } },
    ])
    expect(lines[0]?.['time']).toMatch(/^\d{4}-.*Z$/)
    expect(lines[2]?.['error']).toHaveProperty('stack')
  })

  it('has readable lines in the format text', () => {
    expect(logged('info', 'text').map(line => line.slice(9))).toEqual([
      'listening · url ws://127.0.0.1:1/ws · pid 7\n',
      'error: failed · error: out of cheese\n',
    ])
  })

  it.each<[LogLevel, number]>([
    ['debug', 3],
    ['info', 2],
    ['warn', 1],
    ['error', 1],
    ['silent', 0],
  ])('at level %s has %i of these lines', (level, count) => {
    expect(logged(level, 'json')).toHaveLength(count)
  })
})
