import type { Approval } from '../../protocol/index.ts'

/** Returns the record with its last use at `time`, unless it was used later: output may be read late. */
export const used = <Used extends { usedAt: number }>(record: Used, time: number): Used =>
  time > record.usedAt ? { ...record, usedAt: time } : record

/** Whether a client has answered, not a rule, a policy or the clock. */
export const isClientsAnswer = ({ by }: Approval): boolean => by !== undefined && !('policy' in by)
