import type { Sink } from '../../daemon/topics/delivery.ts'

/** The socket of a connection as a hub sees it, whose other end reads when the test says so. */
export interface SimulatedSocket {
  sink: Sink
  /** Reads up to `most` chunks of what waits; returns their messages, parsed and as they came. */
  read(most?: number): { text: string; message: WireMessage }[]
  /** Every message written so far, read or not. */
  readonly written: WireMessage[]
  /** Writes so far, by their chunks. */
  readonly writes: readonly Buffer[][]
}

export interface WireMessage {
  id?: number
  result?: { epoch: string; first: number; head: number; recovered: boolean; reason?: string }
  method?: string
  params?: { topic: string; epoch: string; events: { seq: number }[] }
}

export function simulatedSocket(): SimulatedSocket {
  const writes: Buffer[][] = []
  const written: WireMessage[] = []
  const unread: { chunk: Buffer; onRead: (() => void) | undefined }[] = []
  let unsentBytes = 0
  return {
    writes,
    written,
    sink: {
      unsentBytes: () => unsentBytes,
      write(chunks, onWritten) {
        writes.push([...chunks])
        for (const [index, chunk] of chunks.entries()) {
          written.push(JSON.parse(textOf(chunk)) as WireMessage)
          unread.push({ chunk, onRead: index === chunks.length - 1 ? onWritten : undefined })
          unsentBytes += chunk.length
        }
      },
      fault(error) {
        throw error
      },
    },
    read(most = Infinity) {
      return unread.splice(0, most).map(({ chunk, onRead }) => {
        unsentBytes -= chunk.length
        onRead?.()
        const text = textOf(chunk)
        return { text, message: JSON.parse(text) as WireMessage }
      })
    },
  }
}

/** The text of one message, whose frame has no mask. */
function textOf(frame: Buffer): string {
  const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
  return frame.subarray(header).toString()
}
