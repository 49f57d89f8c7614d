/** Returns the record with its last use at `time`, unless it was used later: output may be read late. */
export const used = <Used extends { usedAt: number }>(record: Used, time: number): Used =>
  time > record.usedAt ? { ...record, usedAt: time } : record
