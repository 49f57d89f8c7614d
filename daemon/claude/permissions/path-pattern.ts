import { posix } from 'node:path'
import { matchesName, type NamePattern, parseNamePattern } from './name-pattern.ts'
import { matchesWildcard } from './wildcard.ts'
import type { Expectation } from './expectation.ts'

/** A pattern for paths, as in .gitignore: `//absolute`, `~/home`, `/of/the/working/directory`, `src/**`, `*.env`. */
export interface PathPattern {
  from: keyof Anchors
  /** What is named before the first wildcard. */
  directory: string
  /** The paths below it that a permission covers; those that it covers where everything below them is looked at. */
  permitted: Segments
  permittedWhole: Segments
  prohibited: Segments
  /** `src/**` prohibits a `src` at any depth. */
  prohibitedAnywhere: Segments | undefined
}

/** Names of a path; `**` is any number of them. Also in lower case, for prohibitions. */
type Segments = readonly ('**' | { exact: NamePattern; lower: NamePattern })[]

interface Anchors {
  root: string
  home: string
  cwd: string
}

/** Where paths are. `realPath` follows links, as far as a path exists. */
export interface Place {
  cwd: string
  home: string
  realPath: (path: string) => string
}

/** Gives in words what was expected instead, where a part of it could never match. */
export function parsePathPattern(text: string): PathPattern | Expectation {
  if (text.startsWith('!')) return { expected: 'a path without `!`' }
  if (/(?<!\\)\{[^}]*,/.test(text)) return { expected: 'a path without braces: a rule for each alternative' }
  const [from, rest] = anchorOf(text)
  const names = rest.split('/').filter(name => name !== '' && name !== '.')
  if (names.length === 0) return { expected: 'a path; `**` is everything' }
  const wildcard = names.findIndex(name => isWild(name))
  // The last name is matched in any case, for it may have to be found at any depth.
  const directory = names.splice(0, wildcard < 0 ? names.length - 1 : wildcard)
  if (names.includes('..')) return { expected: 'a path with `..` at its beginning only' }
  const parsed = names.map(parseSegment)
  const segments = parsed.filter(segment => segment !== undefined)
  if (segments.length < parsed.length) return { expected: 'every `[` to be closed' }

  const last = names.at(-1)!
  const isBare = from === 'cwd' && !/^\.?\//.test(text)
  const found = isBare && directory.length === 0 && segments.length === 1 ? (['**', ...segments] as const) : segments
  const inside = last === '**' ? found.slice(0, -1) : found
  const whole: Segments = [...inside, '**']
  const content: Segments = [...inside, parseSegment('*')!, '**']
  // `docs` is a file or a whole directory; `*.ts` is files, whatever a directory may be called.
  const permitted = last === '**' || rest.endsWith('/') ? content : isWild(last) ? found : whole
  return {
    from,
    directory: directory.join('/'),
    permitted,
    permittedWhole: permitted === content ? whole : permitted,
    prohibited: whole,
    prohibitedAnywhere:
      isBare && directory.length === 1 && names.join('/') === '**'
        ? ['**', parseSegment(directory[0]!)!, ...whole]
        : undefined,
  }
}

/**
 * Whether a permission covers what a path leads to: as it is spelled, and where its links lead. A link below the working
 * directory gives nothing away, for what is worked on may have put it there. `whole`: everything below is looked at.
 */
export function permitsPath(pattern: PathPattern, path: string, whole: boolean, place: Place): boolean {
  const spelled = spell(path, place)
  if (spelled === undefined) return false
  const from = baseOf(pattern, place)
  const belowCwd = posix.relative(place.cwd, from)
  const real = belowCwd.startsWith('..') ? place.realPath(from) : posix.join(place.realPath(place.cwd), belowCwd)
  const segments = whole ? pattern.permittedWhole : pattern.permitted
  const covers = (base: string, found: string) => matchesBelow(segments, base, found, 'exact')
  return covers(from, spelled) && covers(real, place.realPath(spelled))
}

/** Whether a prohibition meets it: in either spelling, in upper or lower case, also by a directory above it. */
export function prohibitsPath(pattern: PathPattern, path: string, place: Place): boolean {
  const spelled = spell(path, place)
  if (spelled === undefined) return false
  const { prohibited, prohibitedAnywhere } = pattern
  const from = baseOf(pattern, place)
  const meets = (segments: Segments, base: string) =>
    [base, place.realPath(base)].some(each =>
      [spelled, place.realPath(spelled)].some(found =>
        matchesBelow(segments, each.toLowerCase(), found.toLowerCase(), 'lower'),
      ),
    )
  return meets(prohibited, from) || (prohibitedAnywhere !== undefined && meets(prohibitedAnywhere, place.cwd))
}

/** The path that a tool opens: absolute, without `.` and `..`. */
function spell(path: string, { cwd, home }: Place): string | undefined {
  if (path.includes('\0')) return undefined
  return posix.resolve(cwd, path === '~' || path.startsWith('~/') ? home + path.slice(1) : path)
}

function baseOf({ from, directory }: PathPattern, { cwd, home }: Place): string {
  const anchors: Anchors = { root: '/', home, cwd }
  return posix.resolve(anchors[from], directory)
}

function matchesBelow(segments: Segments, base: string, path: string, casing: 'exact' | 'lower'): boolean {
  const top = base === '/' ? base : `${base}/`
  if (path !== base && !path.startsWith(top)) return false
  const names = path === base ? [] : path.slice(top.length).split('/')
  return matchesWildcard(
    segments,
    names,
    segment => segment === '**',
    (segment, name) => segment !== '**' && matchesName(segment[casing], name),
  )
}

function anchorOf(text: string): [from: keyof Anchors, rest: string] {
  if (text.startsWith('//')) return ['root', text.slice(2)]
  if (text.startsWith('~/')) return ['home', text.slice(2)]
  return ['cwd', text]
}

const isWild = (name: string) => /[*?[\\]/.test(name)

function parseSegment(name: string): Segments[number] | undefined {
  if (name === '**') return '**'
  const exact = parseNamePattern(name)
  const lower = parseNamePattern(name.toLowerCase())
  return exact && lower && { exact, lower }
}
