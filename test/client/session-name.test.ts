import { describe, expect, it } from 'vitest'
import { projectName, sessionName } from '../../client/text/session-name.ts'

describe('the name of a session', () => {
  it('is its title, else the first line of its first prompt, else its project', () => {
    const cwd = '/home/ann/shop/'
    expect(sessionName({ title: 'Checkout', firstPrompt: 'Fix it', cwd })).toBe('Checkout')
    expect(sessionName({ title: ' ', firstPrompt: '\n Fix the cart\nand the rest', cwd })).toBe('Fix the cart')
    expect(sessionName({ title: '', cwd })).toBe('shop')
    expect(sessionName({ title: '', firstPrompt: '', cwd: '/' })).toBe('/')
  })

  it('may contain the project name, the last part of its directory', () => {
    expect(['/home/ann/shop', '/home/ann/shop/', '/'].map(projectName)).toEqual(['shop', 'shop', '/'])
  })
})
