import { daemonProgram } from './background.ts'

/** The functions of the daemon's code that `muxd doctor` and `muxd restart` call, so that both decide alike. */
interface DaemonCode {
  /** Returns the configuration of a daemon with these options, or the problem with it. */
  lookAtConfig(argv: string[]): { claudeBin?: string | undefined } | { problem: string }
  lookAtSqlite(): { engine: string } | { problem: string }
  databaseProblem(file: string): { code: string; message: string } | undefined
}

export const loadDaemonCode = async (): Promise<DaemonCode> => (await import(daemonProgram().href)) as DaemonCode
