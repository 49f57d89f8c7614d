import { nanoid } from 'nanoid'
import type { Role, Token } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { startDeadline } from '../os/deadline.ts'
import type { Log } from '../log/log.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { asStorageError } from '../rpc/storage-error.ts'
import { findBySecret, hashOf, type KnownTokens } from './known-tokens.ts'
import { builtInToken, type KeptToken, newSecret, readTokenFile, type TokenFile, writeTokenFile } from './token-file.ts'

/** The tokens of a home: the two built-in ones, which the first start creates, and those created since. */
export interface Tokens extends KnownTokens {
  /** The current secrets of the built-in tokens. */
  builtIn(): { control: string; observe: string }
  list(): Token[]
  /** Creates a token. The secret is returned only this once. Throws `RpcError`. */
  create(token: { name: string; role: Role; expiresAfterMs?: number | undefined }): { token: Token; secret: string }
  /**
   * Creates a token for a page that was opened by a link. If there are too many page tokens, the least recently used
   * one ends. Throws `RpcError`.
   */
  createForPage(role: Role): { token: Token; secret: string }
  /** Revokes a token; a built-in one gets a new secret. The change is stored when this returns. Throws `RpcError`. */
  revoke(id: string): void
  /** Stores when the tokens were last used. */
  close(): void
}

export function createTokens(
  path: string,
  { log, now = Date.now, onReplaced }: { log: Pick<Log, 'warn'>; now?: () => number; onReplaced: () => void },
): Tokens {
  const { isNew, ...kept } = readTokenFile(path, now())
  let file: TokenFile = kept
  const listeners = new Set<(id: string, why: string) => void>()
  let cancelExpiry = () => {}
  let saving: NodeJS.Timeout | undefined

  /** A change takes effect only when it is stored. Throws `RpcError`. */
  const change = (next: TokenFile) => {
    asStorageError(() => writeTokenFile(path, next))
    file = next
    clearTimeout(saving)
    saving = undefined
    watchExpiry()
  }

  const ended = (id: string, why: string) => {
    for (const listener of listeners) listener(id, why)
  }

  const hasExpired = ({ expiresAt }: Token) => expiresAt !== null && expiresAt <= now()

  const dropExpired = () => {
    const expired = file.tokens.filter(hasExpired)
    if (expired.length === 0) return watchExpiry()
    file = { ...file, tokens: file.tokens.filter(token => !expired.includes(token)) }
    saveSoon()
    for (const { id, name } of expired) ended(id, `the token ${JSON.stringify(name)} has expired`)
    watchExpiry()
  }

  const watchExpiry = () => {
    cancelExpiry()
    const first = Math.min(...file.tokens.map(({ expiresAt }) => expiresAt ?? Infinity))
    if (first === Infinity) return
    cancelExpiry = startDeadline(first, dropExpired, now)
  }

  const save = () => {
    clearTimeout(saving)
    saving = undefined
    try {
      writeTokenFile(path, file)
    } catch (error) {
      log.warn('when tokens were last used could not be kept', { error })
    }
  }

  const saveSoon = () => {
    saving ??= setTimeout(save, usesKeptMs)
    saving.unref()
  }

  /** Adds a token to the built-in ones and to those in `made`. */
  const add = (
    made: KeptToken[],
    what: Pick<KeptToken, 'name' | 'role' | 'builtIn' | 'page'>,
    expiresAfterMs: number | undefined,
  ) => {
    const createdAt = now()
    const expiresAt = expiresAfterMs === undefined ? null : createdAt + expiresAfterMs
    const secret = newSecret()
    const token = { id: `t_${nanoid()}`, ...what, createdAt, expiresAt, lastUsedAt: null, hash: hashOf(secret) }
    change({ ...file, tokens: [...file.tokens.filter(each => each.builtIn), ...made, token] })
    return { token: shown(token), secret }
  }

  if (isNew) writeTokenFile(path, file)
  dropExpired()

  return {
    find(secret) {
      const token = findBySecret(file.tokens, secret)
      if (token === undefined || hasExpired(token)) return undefined
      token.lastUsedAt = now()
      saveSoon()
      return token
    },
    onEnded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    builtIn: () => ({ control: file.control, observe: file.observe }),
    list: () => file.tokens.filter(token => !hasExpired(token)).map(shown),
    create({ name, role, expiresAfterMs }) {
      const made = file.tokens.filter(token => !token.builtIn && !hasExpired(token))
      if (made.filter(token => !token.page).length >= limits.maxTokens) {
        const value = limits.maxTokens
        throw new RpcError('limit', `there are ${value} tokens, the most there may be: revoke one`, {
          limit: 'maxTokens',
          value,
        })
      }
      return add(made, { name, role, builtIn: false }, expiresAfterMs)
    },
    createForPage(role) {
      const others = file.tokens.filter(token => !hasExpired(token))
      const pages = others.filter(token => token.page).sort((a, b) => usedAt(a) - usedAt(b))
      const tooMany = pages.slice(0, Math.max(0, pages.length + 1 - limits.maxPageTokens))
      const made = others.filter(token => !token.builtIn && !tooMany.includes(token))
      const added = add(made, { name: 'page', role, builtIn: false, page: true }, limits.pageTokenLifeMs)
      for (const { id } of tooMany) ended(id, `${limits.maxPageTokens} pages were opened since`)
      return added
    },
    revoke(id) {
      const token = file.tokens.find(each => each.id === id && !hasExpired(each))
      if (token === undefined) throw new RpcError('not_found', `there is no token ${id}`, { token: id })
      if (token.builtIn) {
        const secret = newSecret()
        const renewed = builtInToken(token.id === 't_control' ? 't_control' : 't_observe', secret, now())
        change({ ...file, [token.role]: secret, tokens: file.tokens.map(each => (each === token ? renewed : each)) })
      } else change({ ...file, tokens: file.tokens.filter(each => each !== token) })
      ended(id, `the token ${JSON.stringify(token.name)} was revoked`)
      if (token.builtIn) asStorageError(onReplaced)
    },
    close() {
      cancelExpiry()
      if (saving) save()
    },
  }
}

/** Delay until a use is stored. A killed daemon loses only the times of last use. */
const usesKeptMs = 60_000

const usedAt = ({ lastUsedAt, createdAt }: Token) => lastUsedAt ?? createdAt

const shown = ({ hash: _, ...token }: KeptToken): Token => token
