import type { Token } from '../../sdk/index.ts'
import { age, duration, table } from './format.ts'
import { oneLine } from '../screen/text.ts'

/** Renders tokens, one in each line. `time` is the current time. */
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

/** Returns the line that is shown above the secret of a new token. */
export function tokenMade({ id, name, role, expiresAt }: Token, time: number): string {
  const life = expiresAt === null ? 'until it is revoked' : `for ${duration(expiresAt - time)}`
  return `${id} lets ${oneLine(name)} in (${role}) ${life}; its secret is told this once:`
}
