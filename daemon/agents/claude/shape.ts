import { limits } from '../../../protocol/limits.ts'

/**
 * Reading JSON values whose shape nobody guarantees: what Claude Code prints changes with its versions, and whatever
 * comes must not throw. Each reader gives `undefined` where the value is not of its kind.
 */
export type Shape = Record<string, unknown>

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function shapeOf(value: unknown): Shape | undefined {
  return isShape(value) ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A string that names something: the empty one names nothing. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function stringsOf(value: unknown): string[] {
  return listOf(value).filter(item => typeof item === 'string')
}

/** JSON has no infinite numbers, but `1e999` parses as one. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** An integer from 0 up: an index, a count. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** An amount of money: what is negative or absurdly large would spoil every sum it goes into. */
export function usdOf(value: unknown): number | undefined {
  const usd = numberOf(value)
  return usd !== undefined && usd >= 0 && usd <= limits.maxUsd ? usd : undefined
}

/** A duration or a time since the epoch, in whole milliseconds. Beyond this bound no `Date` can hold it. */
export function msOf(value: unknown, unitMs = 1): number | undefined {
  const ms = Math.round((numberOf(value) ?? Number.NaN) * unitMs)
  return ms >= 0 && ms <= maxMs ? ms : undefined
}

const maxMs = 8.64e15
