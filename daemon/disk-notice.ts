import type { DaemonEvent } from '../protocol/index.ts'

/** Reports on the `daemon` topic that the disk is full, and when there is room again. */
export interface DiskNotice {
  /** Publishes `disk_full`, and `running` once there is room again. Does nothing while a notice is active. */
  full(detail: string): void
  close(): void
}

const recheckMs = 1_000

export function createDiskNotice(
  hasRoom: () => boolean,
  publish: (state: DaemonEvent['state'], detail?: string) => void,
): DiskNotice {
  let recheck: NodeJS.Timeout | undefined
  const close = () => {
    clearInterval(recheck)
    recheck = undefined
  }

  return {
    full(detail) {
      if (recheck) return
      publish('disk_full', detail)
      recheck = setInterval(() => {
        if (!hasRoom()) return
        close()
        publish('running')
      }, recheckMs).unref()
    },
    close,
  }
}
