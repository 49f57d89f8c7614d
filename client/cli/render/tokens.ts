import type { Token } from '../../sdk/index.ts'
import { age, duration, table } from './format.ts'
import { oneLine } from './text.ts'

/** The tokens for a person, a line each; `time` is now. */
export function tokenLines(tokens: readonly Token[], time: number, columns: number): string[] {
  const rows = tokens.map(({ id, name, role, createdAt, expiresAt, lastUsedAt }) => [
    id,
    role,
    age(time - createdAt),
    lastUsedAt === null ? 'never' : `${age(time - lastUsedAt)} ago`,
    expiresAt === null ? '-' : `in ${age(expiresAt - time)}`,
    oneLine(name),
  ])
  return table(['TOKEN', 'ROLE', 'AGE', 'USED', 'EXPIRES', 'NAME'], rows, columns, 5)
}

/** What is said of a new token, above its secret. */
export function tokenMade({ id, name, role, expiresAt }: Token, time: number): string {
  const life = expiresAt === null ? 'until it is revoked' : `for ${duration(expiresAt - time)}`
  return `${id} lets ${oneLine(name)} in (${role}) ${life}; its secret is told this once:`
}
