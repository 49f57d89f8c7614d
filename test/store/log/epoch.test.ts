import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { bootId } from '../../../daemon/os/boot-id.ts'
import { openStore } from '../../../daemon/store/open.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { reopen } from '../temp-store.ts'

const options = { ballastBytes: 0 }

test('a killed daemon keeps the epoch, a machine crash starts a new one', () => {
  const { file, epoch } = openedDuring('boot 1')
  expect(reopen(cut(file), { ...options, boot: 'boot 1' }).epoch).toBe(epoch)
  const warnings: string[] = []
  const log = { warn: (text: string) => void warnings.push(text), error: () => {} }
  const later = reopen(cut(file), { ...options, boot: 'boot 2', log })
  expect(later.epoch).not.toBe(epoch)
  expect(warnings).toEqual([
    'the machine went down before the database was closed in order: the events have a new epoch',
  ])
})

test('without a boot id, an unclosed database gets a new epoch', () => {
  const { file, epoch } = openedDuring(undefined)
  expect(reopen(cut(file), options).epoch).not.toBe(epoch)
  expect(reopen(cut(file), { ...options, boot: 'boot 2' }).epoch).not.toBe(epoch)
})

test('a database closed in order keeps its epoch across reboots until it is next left open', () => {
  const { file, epoch, store } = openedDuring('boot 1')
  store.close()
  expect(reopen(cut(file), options).epoch).toBe(epoch)
  const again = openStore(file, { ...options, boot: 'boot 2' })
  expect(again.epoch).toBe(epoch)
  // The next opening removes the mark of the orderly close.
  expect(reopen(cut(file), { ...options, boot: 'boot 3' }).epoch).not.toBe(epoch)
  again.close()
})

test('a database closed with inOrder: false gets a new epoch after a reboot', () => {
  const { file, epoch, store } = openedDuring('boot 1')
  store.close({ inOrder: false })
  expect(reopen(cut(file), { ...options, boot: 'boot 1' }).epoch).toBe(epoch)
  expect(reopen(cut(file), { ...options, boot: 'boot 2' }).epoch).not.toBe(epoch)
})

test('the next opening keeps a new epoch instead of creating another', () => {
  const { file } = openedDuring('boot 1')
  const copy = cut(file)
  const store = openStore(copy, { ...options, boot: 'boot 2' })
  expect(reopen(cut(copy), { ...options, boot: 'boot 2' }).epoch).toBe(store.epoch)
  store.close()
  expect(reopen(copy, { ...options, boot: 'boot 3' }).epoch).toBe(store.epoch)
})

test('bootId() returns the same id every time', () => {
  expect(bootId()).toMatch(/^[0-9a-fA-F-]{36}$/)
  expect(bootId()).toBe(bootId())
})

function openedDuring(boot: string | undefined) {
  const file = join(tempDir(), 'muxd.db')
  const store = reopen(file, { ...options, boot })
  return { file, store, epoch: store.epoch }
}

/** Copies the database in its present state, as a crashed daemon leaves it to the next. */
function cut(file: string): string {
  const copy = join(tempDir(), 'muxd.db')
  for (const name of ['muxd.db', 'muxd.db-wal', 'muxd.db-shm']) {
    if (existsSync(join(dirname(file), name))) copyFileSync(join(dirname(file), name), join(dirname(copy), name))
  }
  return copy
}

test.skipIf(process.platform !== 'linux')('a database that was not closed is opened with the usual file locks', () => {
  const { file } = openedDuring('boot 1')
  const copy = cut(file)
  reopen(copy, { ...options, boot: 'boot 1' })
  expect([locksOn(copy), locksOn(`${copy}-shm`)]).toEqual([['READ'], ['READ']])
})

/** Returns the locks that this process holds. A process that closes any descriptor of a file loses all of them. */
function locksOn(path: string): string[] {
  const { ino } = statSync(path)
  const own = new RegExp(`POSIX +ADVISORY +(\\w+) +${process.pid} +\\S+:${ino} `)
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .flatMap(line => own.exec(line)?.[1] ?? [])
}
