import { stat } from 'node:fs/promises'
import type { DaemonStatus } from '../protocol/index.ts'
import { processFiles } from './pty-host/process-files.ts'
import type { ProcessTable } from './store/store.ts'

const shown = 5

/**
 * Returns how far the stored events are behind the output of the live processes: the bytes of raw log after each
 * process's checkpoint. Normally close to 0. A daemon that starts must translate these bytes first.
 */
export async function checkpointDistances(
  processes: Pick<ProcessTable, 'live'>,
  processesDir: string,
): Promise<DaemonStatus['checkpoints']> {
  const live = processes.live()
  const sizes = await Promise.all(live.map(({ id }) => sizeOf(processFiles(processesDir, id).raw)))
  const distances = live
    .map(({ id, session, offset }, index) => {
      // The checkpoint was read first, so it is not ahead of the size, unless the raw log has been removed since.
      const rawBytes = Math.max(sizes[index]!, offset)
      return { process: id, session, rawBytes, checkpoint: offset, behindBytes: rawBytes - offset }
    })
    .filter(({ behindBytes }) => behindBytes > 0)
    .toSorted((one, other) => other.behindBytes - one.behindBytes)
  const behindBytes = distances.reduce((sum, distance) => sum + distance.behindBytes, 0)
  return { behindBytes, behind: distances.length, furthest: distances.slice(0, shown) }
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  )
