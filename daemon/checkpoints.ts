import { stat } from 'node:fs/promises'
import type { DaemonStatus } from '../protocol/index.ts'
import { processFiles } from './pty-host/process-files.ts'
import type { ProcessTable } from './store/store.ts'

const shown = 5

/**
 * How far the stored events are behind what the live processes have printed: the bytes of raw log after each one's
 * checkpoint. In good health next to nothing; what a daemon that starts has to translate before it goes on.
 */
export async function checkpointDistances(
  processes: Pick<ProcessTable, 'live'>,
  processesDir: string,
): Promise<DaemonStatus['checkpoints']> {
  const live = processes.live()
  const sizes = await Promise.all(live.map(({ id }) => sizeOf(processFiles(processesDir, id).raw)))
  const distances = live
    .map(({ id, session, offset }, index) => {
      // The checkpoint was read first, so it is not ahead of the size; but the raw log may be gone since.
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
