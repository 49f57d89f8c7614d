import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { DaemonStatus } from '../../sdk/browser.ts'
import { claudeIn, isSimulator } from '../context/simulator.ts'
import { useWorkspace } from '../context/workspace.ts'
import { bytes, count, duration, messageOf } from '../parts/format.ts'
import { useNow } from '../parts/time.tsx'

const refreshMs = 2_000

/** The status of the daemon, read every two seconds while the page is visible. */
export function DaemonBlock() {
  const { api, connection } = useWorkspace()
  const status = useSignal<{ was: DaemonStatus; at: number } | undefined>(undefined)
  const problem = useSignal('')
  const { opened } = connection.status.value

  useEffect(() => {
    const leaving = new AbortController()
    let asking = false
    const ask = async () => {
      if (asking || document.visibilityState !== 'visible') return
      asking = true
      try {
        status.value = { was: await api.daemon.status({}, { signal: leaving.signal }), at: Date.now() }
        problem.value = ''
      } catch (error) {
        if (!leaving.signal.aborted) problem.value = messageOf(error)
      } finally {
        asking = false
      }
    }
    void ask()
    const timer = setInterval(() => void ask(), refreshMs)
    return () => {
      leaving.abort()
      clearInterval(timer)
    }
  }, [opened])

  return (
    <div role="group" class="block daemon" aria-label="Daemon" tabIndex={-1}>
      <div class="scroll padded" tabIndex={0}>
        {problem.value && <p class="problem">{problem.value}</p>}
        {status.value && <Status status={status.value.was} at={status.value.at} />}
      </div>
    </div>
  )
}

function Status({ status, at }: { status: DaemonStatus; at: number }) {
  const { connection } = useWorkspace()
  const since = Math.max(0, useNow() - at)
  const { ptyHost, disk, memory, checkpoints, subscribers } = status
  const claude = claudeIn(status)
  const active = Object.entries(status.runs).filter(([, number]) => number > 0)
  return (
    <>
      <Facts title="Daemon">
        <Fact name="Version">{status.version}</Fact>
        <Fact name="Address">{status.url.replace(/^ws/, 'http').replace(/\/ws$/, '')}</Fact>
        <Fact name="Home">{status.home}</Fact>
        <Fact name="Process">
          {status.pid}, up {duration(status.uptimeMs + since)}
        </Fact>
        <Fact name="Claude Code">
          {!claude ? 'not found' : isSimulator(status) ? 'simulator' : claude.version}
          {claude && <span class="dim"> {claude.path}</span>}
        </Fact>
        <Fact name="You">{connection.hello.value?.role === 'observe' ? 'may watch' : 'may do everything'}</Fact>
      </Facts>
      <Facts title="Work">
        <Fact name="Sessions">{count(status.sessions)}</Fact>
        <Fact name="Runs">
          {active.length ? active.map(([state, number]) => `${number} ${state}`).join(', ') : 'none'}
          <span class="dim"> of {status.maxRuns} at once</span>
        </Fact>
        <Fact name="Processes">{status.processes}</Fact>
        <Fact name="Pty-host">
          <span class={ptyHost.state === 'connected' ? '' : 'problem'}>{ptyHost.state}</span>
          {ptyHost.pid !== undefined && <span class="dim"> {ptyHost.pid}</span>}
          {ptyHost.uptimeMs !== undefined && <span class="dim">, up {duration(ptyHost.uptimeMs + since)}</span>}
        </Fact>
        <Fact name="Not stored yet">
          {checkpoints.behind === 0
            ? 'nothing'
            : `${bytes(checkpoints.behindBytes)} of ${checkpoints.behind} processes`}
        </Fact>
      </Facts>
      <Facts title="Memory and disk">
        <Fact name="Memory">
          {bytes(memory.rssBytes)} <span class="dim">heap {bytes(memory.heapBytes)}</span>
        </Fact>
        <Fact name="Database">
          {bytes(disk.databaseBytes)} <span class="dim">log {bytes(disk.walBytes)}</span>
        </Fact>
        <Fact name="Raw logs">{bytes(disk.rawBytes)}</Fact>
        <Fact name="Free">{bytes(disk.freeBytes)}</Fact>
      </Facts>
      <h2>Connections</h2>
      <p class="small dim">
        {status.connections} with {status.subscriptions} subscriptions, {subscribers.behind} of them behind
      </p>
      <table class="table numeric">
        <caption class="unseen">Connections, those furthest behind first</caption>
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">Role</th>
            <th scope="col" class="number spare">
              Subscriptions
            </th>
            <th scope="col" class="number">
              Lag
            </th>
            <th scope="col" class="number">
              Unsent
            </th>
          </tr>
        </thead>
        <tbody>
          {subscribers.furthest.map(({ client, name, role, subscriptions, more, unsentBytes, connectedAt }) => (
            <tr key={`${client} ${connectedAt}`}>
              <td class="given" title={client}>
                {name}
                {client === connection.hello.value?.clientId && <span class="dim"> (this window)</span>}
              </td>
              <td>{role}</td>
              <td class="number spare">{subscriptions.length + more}</td>
              <td class="number">{count(Math.max(0, ...subscriptions.map(({ lag }) => lag)))}</td>
              <td class="number">{bytes(unsentBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {subscribers.more > 0 && <p class="small dim">{subscribers.more} more connections</p>}
    </>
  )
}

function Facts({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <>
      <h2>{title}</h2>
      <dl class="facts numeric">{children}</dl>
    </>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
