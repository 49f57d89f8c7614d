import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { methods, type Role, topMethods } from '../../protocol/index.ts'
import type { Caller, Handlers } from './handlers.ts'
import { secretFields } from './secret-fields.ts'

/** A method as dispatch needs it: its row of the protocol, compiled, and its handler. */
export interface Method {
  readonly name: string
  readonly mutates: boolean
  /** Observe tokens may not call it. */
  readonly needsControl: boolean
  /** Its params may carry an idempotency `key`. */
  readonly keyed: boolean
  readonly params: TSchema
  fits(params: unknown): boolean
  /** JSON pointer of a secret in the params whose value is the mask. */
  maskIn(params: unknown): string | undefined
  resultFits(result: unknown): boolean
  /** The result as a caller with this role may see it. */
  shown(result: unknown, role: Role): unknown
  call(params: unknown, caller: Caller): unknown
}

/** Every method by its full name. In a Map, `__proto__.x` and `constructor` are unknown names like any other. */
export function createMethodTable(handlers: Handlers, top: TopHandlers): ReadonlyMap<string, Method> {
  const table = new Map<string, Method>()
  for (const [name, row] of Object.entries(topMethods))
    table.set(name, method(name, row, top[name as keyof TopHandlers]))
  for (const [namespace, rows] of Object.entries(methods)) {
    for (const [name, row] of Object.entries(rows)) {
      // The handler table's type has exactly the rows of `methods`; the compiler cannot know this for a string key.
      const ofNamespace = handlers[namespace as keyof Handlers] as unknown as Record<string, Method['call']>
      const fullName = `${namespace}.${name}`
      table.set(fullName, method(fullName, row, ofNamespace[name]!))
    }
  }
  return table
}

/** The methods without a namespace. They act on the connection itself, and have no caller before `hello`. */
export type TopHandlers = Record<keyof typeof topMethods, Method['call']>

type Row = { params: TObject; result: TObject; mutates: boolean; needsControl: boolean; showsSecrets: boolean }

function method(name: string, row: Row, call: Method['call']): Method {
  const params = Compile(row.params)
  const given = secretFields(row.params)
  const told = secretFields(row.result)
  // Only tests check results, so most daemons never compile these schemas.
  let result: { Check(value: unknown): boolean } | undefined
  return {
    name,
    mutates: row.mutates,
    needsControl: row.needsControl,
    keyed: Object.hasOwn(row.params.properties, 'key'),
    params: row.params,
    fits: value => params.Check(value),
    maskIn: value => given?.maskIn(value),
    resultFits: value => (result ??= Compile(row.result)).Check(value),
    shown: (value, role) => (told === undefined || (row.showsSecrets && role === 'control') ? value : told.mask(value)),
    call,
  }
}
