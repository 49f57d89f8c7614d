import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { processFiles } from '../holder/process-files.ts'
import type { Store, StoredProcess } from '../store/store.ts'
import { outputsOf } from '../topics/process-output.ts'
import { encodePlaces, type Place, placeBytes, start } from '../topics/places.ts'
import { inSlices } from './in-slices.ts'
import { packDraft, writePack } from './write-pack.ts'

/**
 * Compresses or drops the raw log of a process that has ended and whose output is translated to its end. After any of
 * its steps what is there can be read, and the same call again does the rest: the pack is whole before it counts, its
 * number of frames is stored before anything goes. Rejects with the signal's reason where it is aborted.
 */
export async function reduceRawLog(
  { store, processesDir }: { store: Store; processesDir: string },
  process: StoredProcess,
  action: 'compress' | 'drop',
  signal: AbortSignal,
): Promise<void> {
  const files = processFiles(processesDir, process.id)
  const isToPack = action === 'compress' && !existsSync(files.pack)
  const known = process.frames !== null && !isToPack ? { frames: process.frames, places: [] } : undefined
  const { frames, places } = known ?? (await countFrames(processesDir, process, signal))
  if (isToPack) await writePack(files, encodePlaces(places), signal)
  const isWanted = store.processes.reduced(process.id, action === 'compress' ? 'compressed' : 'dropped', frames)
  // A power cut must not leave less than the database says.
  await store.sync()
  const obsolete = [files.raw, files.times, files.err, packDraft(files)]
  // Its session was deleted meanwhile: then the pack has come too late to be removed with it.
  if (action === 'drop' || !isWanted) obsolete.push(files.pack)
  for (const file of obsolete) await rm(file, { force: true })
}

async function countFrames(
  processesDir: string,
  process: StoredProcess,
  signal: AbortSignal,
): Promise<{ frames: number; places: Place[] }> {
  const outputs = outputsOf(processesDir, process, 0)
  const places: Place[] = []
  let frames = 0
  const step = () => {
    const { value, done } = outputs.next()
    if (done) return false
    frames += value.lines.length
    const { offset } = places.at(-1) ?? start
    if (value.offset >= offset + placeBytes) places.push({ count: frames, offset: value.offset })
    return true
  }
  try {
    await inSlices(step, signal)
  } finally {
    outputs.return(undefined)
  }
  signal.throwIfAborted()
  return { frames, places }
}
