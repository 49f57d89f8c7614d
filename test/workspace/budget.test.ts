import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const built = (name: string) => readFileSync(new URL(`../../dist/workspace/${name}`, import.meta.url))

it('the page needs at most 250 kB, compressed, before its first view', () => {
  // Includes what the entry imports statically. What it loads later is not needed for the first view.
  const imported = [
    ...built('main.js')
      .toString()
      .matchAll(/from\s*"\.\/([^"]+)"/g),
  ].map(([, name]) => name!)
  const files = ['index.html', 'style.css', 'main.js', ...new Set(imported)]
  const bytes = files.reduce((sum, name) => sum + gzipSync(built(name)).length, 0)
  expect(bytes).toBeLessThanOrEqual(250_000)
})

it('the page contains nothing that its content security policy forbids', () => {
  expect(built('index.html').toString()).not.toMatch(
    /<script(?![^>]* src=)|<style| style=| on\w+=|https?:\/\/(?!www\.w3\.org)/,
  )
  expect(built('style.css').toString()).not.toMatch(/@import|url\((?!["']?data:)/)
})
