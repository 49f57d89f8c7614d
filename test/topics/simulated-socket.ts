import type { Sink } from '../../daemon/topics/delivery/delivery.ts'

/** A connection's socket as a hub sees it. The test decides when the other end reads. */
export interface SimulatedSocket {
  sink: Sink
  /** Reads up to `most` waiting chunks. Returns their messages, parsed and as text. */
  read(most?: number): { text: string; message: WireMessage }[]
  /** Every message written so far, read or not. */
  readonly written: WireMessage[]
  /** The chunks of each write so far. */
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

/** Returns the text of a message. Its frame has no mask. */
function textOf(frame: Buffer): string {
  const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
  return frame.subarray(header).toString()
}
