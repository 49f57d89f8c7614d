import type { Expectation } from './expectation.ts'
import { matchesStars } from './wildcard.ts'

/** `example.com`, `*.example.com` (any host below it, not itself), `*` (any); elsewhere `*` stays between its dots. */
export interface DomainPattern {
  /** From the left. */
  labels: readonly string[]
}

/** Gives in words what was expected instead. */
export function parseDomainPattern(text: string): DomainPattern | Expectation {
  const host = /^domain:(.+)$/.exec(text)?.[1]?.toLowerCase().replace(/\.$/, '')
  if (host === undefined) return { expected: '`domain:` and a host, as in WebFetch(domain:example.com)' }
  if (/^\[[0-9a-f:.]+\]$/.test(host)) return { labels: [host] }
  if (!/^[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*$/.test(host))
    return { expected: 'a host alone, without scheme, port or path, in ASCII' }
  return { labels: host.split('.') }
}

export function matchesDomain({ labels }: DomainPattern, url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/\.$/, '')
  if (host === '') return false
  const [first, ...rest] = labels
  if (first === '*' && rest.length === 0) return true
  const found = host.startsWith('[') ? [host] : host.split('.')
  if (first === '*' && found.length > labels.length) return matchesAll(rest, found.slice(-rest.length))
  return matchesAll(labels, found)
}

function matchesAll(labels: readonly string[], found: readonly string[]): boolean {
  return labels.length === found.length && labels.every((label, index) => matchesStars(label, found[index]!))
}
