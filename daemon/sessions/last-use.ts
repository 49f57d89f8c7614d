import type { Approval, Session } from '../../protocol/index.ts'

/** The record with its last use at `time`, unless it was used later: what a process printed may be read late. */
export const used = (record: Session, time: number): Session =>
  time > record.usedAt ? { ...record, usedAt: time } : record

/** Whether a client has answered, not a rule, a policy or the clock. */
export const isClientsAnswer = ({ by }: Approval): boolean => by !== undefined && !('policy' in by)
