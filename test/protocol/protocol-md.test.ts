import { readFileSync } from 'node:fs'
import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import * as protocol from '../../protocol/index.ts'

const { closeCodes, errors, events, FailureCode, methods, Request, sessionsEvents, TopicAck } = protocol
const prose = readFileSync(new URL('../../protocol/PROTOCOL.md', import.meta.url), 'utf8')

/** Returns the cells of the table whose header begins with these columns, by row and without code marks. */
function table(...head: string[]): string[][] {
  const lines = prose.split('\n')
  const start = lines.findIndex(line => new RegExp(`^\\| ${head.join(' +\\| ')} +\\|`).test(line))
  if (start === -1) throw new Error(`no table ${head.join(', ')}`)
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map(line =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map(cell => cell.trim().replaceAll('\\|', '|')),
  )
}
const name = (cell: string) => /^`([^`]+)`/.exec(cell)?.[1] ?? cell

/** Returns the names of an object's members as the prose writes them: `a, b?`. */
function members(schema: TSchema, without: readonly string[] = []): string[] {
  const { properties, required = [] } = schema as { properties: object; required?: string[] }
  return Object.keys(properties)
    .filter(key => !without.includes(key))
    .map(key => (required.includes(key) ? key : `${key}?`))
    .sort()
}
const listed = (cell: string): string[] =>
  (/^`\{?([^`}]*)\}?/.exec(cell)?.[1] ?? '')
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
    .sort()

type Row = { params: TObject; result: TObject; mutates: boolean; needsControl: boolean }
const rows = new Map<string, Row>([
  ...Object.entries(protocol.topMethods as Record<string, Row>),
  ...Object.entries(methods).flatMap(([namespace, rowsOf]) =>
    Object.entries(rowsOf as Record<string, Row>).map(([method, row]) => [`${namespace}.${method}`, row] as const),
  ),
])

describe('PROTOCOL.md and the schemas name the same', () => {
  const methodTable = table('method', 'params', 'result')

  test('methods, and which of them change something', () => {
    expect(methodTable.map(([cell]) => name(cell!)).sort()).toEqual([...rows.keys()].sort())
    const marked = (mark: string) => methodTable.flatMap(([cell]) => (cell!.endsWith(mark) ? [name(cell!)] : [])).sort()
    const those = (fit: (row: Row) => boolean) =>
      [...rows].flatMap(([method, row]) => (fit(row) ? [method] : [])).sort()
    expect(marked('*')).toEqual(those(({ mutates }) => mutates))
    expect(marked('!')).toEqual(those(({ mutates, needsControl }) => needsControl && !mutates))
  })

  test.each(methodTable.map(([cell, params, result]) => [name(cell!), params!, result!]))(
    'params and result of %s',
    (method, params, result) => {
      const row = rows.get(method)!
      expect(listed(params)).toEqual(members(row.params))
      if (result.startsWith('`{')) expect(listed(result)).toEqual(members(row.result))
      else
        expect(row.result).toBe(
          { Session: protocol.Session, Run: protocol.Run, Approval: protocol.Approval }[name(result)],
        )
    },
  )

  test('events of a session, with their fields', () => {
    const envelope = ['seq', 'time', 'run', 'parent', 'cut', 'type']
    const inProse = Object.fromEntries(table('type', 'fields').map(([type, fields]) => [name(type!), listed(fields!)]))
    const inSchemas = Object.fromEntries(
      Object.entries(events).map(([type, schema]) => [type, members(schema, envelope)]),
    )
    expect(inProse).toEqual(inSchemas)
  })

  test('records of the other topics, with their fields', () => {
    const { 'session/<id>': _, ...others } = protocol.topics
    const schemas = Object.assign({}, ...Object.values(others)) as Record<string, TSchema>
    const inSchemas = Object.fromEntries(
      Object.entries(schemas).map(([type, schema]) => [type, members(schema, ['seq', 'time', 'type'])]),
    )
    const inProse = Object.fromEntries(
      table('type', 'topic', 'fields').map(([type, , fields]) => [name(type!), listed(fields!)]),
    )
    expect(inProse).toEqual(inSchemas)
  })

  test('errors, with their codes', () => {
    const inProse = table('kind', 'code', 'retryable').map(([kind, code, retryable]) => [
      name(kind!),
      { code: Number(code), retryable: retryable === 'yes' },
    ])
    expect(Object.fromEntries(inProse)).toEqual(errors)
  })

  test('close codes', () => {
    const inProse = table('code', 'name', 'reconnect').map(([code, cell, reconnect]) => [
      code!,
      { name: name(cell!), reconnect: reconnect === 'yes' },
    ])
    expect(Object.fromEntries(inProse)).toEqual(closeCodes)
  })

  test('failure codes', () => {
    const inProse = /`failure\.code`: `([^`]+)`/.exec(prose)![1]!.split(/\s+/)
    expect(inProse.sort()).toEqual([...(FailureCode as unknown as { enum: string[] }).enum].sort())
  })
})

test('no table of PROTOCOL.md has two rows for the same thing', () => {
  const tables = prose.split(/\n(?!\|)/).map(part => part.split('\n').filter(line => line.startsWith('|')))
  const twice = tables.flatMap(lines => {
    const heads = lines.map(line => line.split('|')[1]!.trim()).filter(cell => cell !== '')
    return heads.filter((cell, index) => heads.indexOf(cell) !== index)
  })
  expect(tables.filter(lines => lines.length > 2).length).toBeGreaterThan(5)
  expect(twice).toEqual([])
})

describe('the table of topics', () => {
  const documented = table('topic', 'carries').map(([cell]) => name(cell!))
  const topic = Compile(protocol.Topic)

  test('PROTOCOL.md documents every topic', () => {
    expect(documented.sort()).toEqual(Object.keys(protocol.topics).sort())
  })

  test('PROTOCOL.md names the topic of every record', () => {
    const { 'session/<id>': _, ...others } = protocol.topics
    const expected = Object.entries(others).flatMap(([pattern, types]) =>
      Object.keys(types).map(type => `${type} on ${pattern}`),
    )
    const found = table('type', 'topic', 'fields').map(([type, cell]) => `${name(type!)} on ${name(cell!)}`)
    expect(found.sort()).toEqual(expected.sort())
  })

  test.each(Object.keys(protocol.topics))('the schema accepts a name of %s, and it belongs to that row', pattern => {
    const instance = pattern.replace('<id>', 's_1')
    expect(topic.Check(instance)).toBe(true)
    expect(protocol.parseTopic(instance)).toEqual({ pattern, session: pattern === instance ? '' : 's_1' })
  })

  test.each(['session', 'session/', 'session/r_1', 'session/s_1/terminal', 'session/s_1/frames/', 'session/<id>', ''])(
    'the schema rejects %j, and it belongs to no row',
    unknown => {
      expect(topic.Check(unknown)).toBe(false)
      expect(protocol.parseTopic(unknown)).toBeUndefined()
    },
  )
})

test('every schema compiles', () => {
  const schemas = Object.values(protocol).filter(
    value => typeof value === 'object' && '~kind' in value,
  ) as unknown as TSchema[]
  const ofMethods = [...rows.values()].flatMap(({ params, result }) => [params, result])
  const all = [...schemas, ...ofMethods, ...Object.values(events), ...Object.values(sessionsEvents)]
  expect(all.length).toBeGreaterThan(60)
  for (const schema of all) expect(Compile(schema).Check(Symbol('nothing'))).toBe(false)
})

describe('the examples in PROTOCOL.md are valid', () => {
  const examples = [...prose.matchAll(/^(->|<-) (\{.*\})$/gm)].map(
    ([, from, text]) => [from!, JSON.parse(text!) as Message] as const,
  )
  type Message = {
    id?: number
    method?: string
    params?: { events?: { type: string }[]; code?: number }
    result?: unknown
  }
  const calls = new Map(
    examples.flatMap(([from, { id, method }]) => (from === '->' && id !== undefined ? [[id, method!] as const] : [])),
  )

  test.each(examples)('%s %j', (from, message) => {
    const { method, params = {}, result, id } = message
    if (from === '->') {
      expect(Compile(Request).Check(message)).toBe(true)
      const schema = method === 'topic.ack' ? TopicAck : rows.get(method!)!.params
      expect(Compile(schema).Check(params)).toBe(true)
    } else if (id !== undefined) {
      expect(Compile(rows.get(calls.get(id)!)!.result).Check(result)).toBe(true)
    } else if (method === 'events') {
      for (const event of params.events!)
        expect(Compile(events[event.type as keyof typeof events]).Check(event)).toBe(true)
    } else {
      expect(['heartbeat', 'bye']).toContain(method)
      if (method === 'bye') expect(closeCodes).toHaveProperty(String(params.code))
    }
  })

  test('there are at least eight of them', () => expect(examples.length).toBeGreaterThanOrEqual(8))
})
