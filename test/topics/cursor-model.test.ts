import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../../daemon/store/store.ts'
import { tempStore } from '../store/temp-store.ts'
import { clientCount, commands } from './cursor-commands.ts'
import { createModel, settle } from './cursor-model.ts'
import { createWorld, type Plant } from './cursor-world.ts'

let worlds = 0

/** Runs the commands on the model and on the hub. Fails where they differ. */
const sameAsModel = (store: Store, plant?: Plant) =>
  fc.property(fc.commands(commands, { maxCommands: 200, size: 'max' }), steps => {
    const world = createWorld(store, `s_${++worlds}`, plant)
    const model = createModel(clientCount)
    try {
      fc.modelRun(() => ({ model, real: world }), steps)
      settle(model, world)
    } finally {
      world.close()
    }
  })

test('a subscriber receives every event after its cursor, once, in order and byte for byte', () => {
  fc.assert(sameAsModel(tempStore().store), { numRuns: 200 })
})

test.each<[string, Plant, RegExp]>([
  ['a dropped event', { read: texts => texts.filter((_, index) => index !== 1) }, /the message is|never came/],
  ['a doubled event', { read: texts => [texts[0]!, ...texts] }, /the message is|came after/],
  ['a changed byte', { read: texts => texts.map(text => text.replace('üü', 'uü')) }, /the message is/],
  ['acks counted from the previous one', { ack: (seq, before) => before + seq }, /bytes are out of a window/],
])('the model detects %s', (_title, plant, message) => {
  const { errorInstance } = fc.check(sameAsModel(tempStore().store, plant), { numRuns: 1_000, endOnFailure: true })
  expect(String(errorInstance)).toMatch(message)
})
