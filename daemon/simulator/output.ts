/** Standard output. Text is buffered and written once per turn of the event loop, or when 64 KB are due. */
export interface Output {
  write(text: string | Uint8Array): void
  /** The reader is behind by more than a megabyte: await `drained` before writing more. */
  readonly isFull: boolean
  /** Resolves when everything written so far has been handed to the kernel. */
  drained(): Promise<void>
}

const batchLength = 64 * 1024
const fullLength = 1024 * 1024

/** `onGone` is called when the output has no reader any more. */
export function createOutput(stream: NodeJS.WriteStream, onGone: () => void): Output {
  let due: string[] = []
  let dueLength = 0
  let scheduled = false
  stream.on('error', onGone)

  function flush(): void {
    scheduled = false
    if (dueLength === 0) return
    const batch = due.join('')
    due = []
    dueLength = 0
    stream.write(batch)
  }

  return {
    write(text) {
      if (typeof text !== 'string') {
        flush()
        stream.write(text)
        return
      }
      due.push(text)
      dueLength += text.length
      if (dueLength >= batchLength) flush()
      else if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
    },
    get isFull() {
      return stream.writableLength > fullLength
    },
    drained() {
      flush()
      return new Promise(resolve => stream.write('', () => resolve()))
    },
  }
}
