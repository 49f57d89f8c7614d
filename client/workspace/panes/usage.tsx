import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Usage } from '../../sdk/browser.ts'
import { useWorkspace } from '../context/workspace.ts'
import { count, messageOf, usd } from '../parts/format.ts'
import { lastDays, nameOf, plotUsage, type UsagePlot } from './usage-plot.ts'

const ranges = [7, 30, 90]
const height = 160
const refreshMs = 30_000

/** The cost of runs by day and model. */
export function UsageBlock() {
  const { api, connection } = useWorkspace()
  const range = useSignal(30)
  const usage = useSignal<Usage | undefined>(undefined)
  const problem = useSignal('')
  const { opened } = connection.status.value

  useEffect(() => {
    const leaving = new AbortController()
    const read = async () => {
      const from = new Date()
      from.setHours(0, 0, 0, 0)
      from.setDate(from.getDate() - (range.value - 1))
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
      try {
        const query = { from: from.getTime(), by: ['day' as const, 'model' as const], timeZone, limit: 1_000 }
        usage.value = await api.usage.get(query, { signal: leaving.signal })
        problem.value = ''
      } catch (error) {
        if (leaving.signal.aborted) return
        problem.value = messageOf(error)
      }
    }
    void read()
    const timer = setInterval(() => document.visibilityState === 'visible' && void read(), refreshMs)
    return () => {
      leaving.abort()
      clearInterval(timer)
    }
  }, [range.value, opened])

  const plot = usage.value && plotUsage(usage.value.rows, lastDays(range.value, Date.now()))
  return (
    <div role="group" class="block usage" aria-label="Usage" tabIndex={-1}>
      <header class="block-bar">
        <div class="choices grow" role="group" aria-label="Days">
          {ranges.map(days => (
            <button
              key={days}
              type="button"
              class="choice"
              aria-pressed={range.value === days}
              onClick={() => (range.value = days)}
            >
              {days} days
            </button>
          ))}
        </div>
      </header>
      <div class="scroll padded" tabIndex={0}>
        {problem.value && <p class="empty">{problem.value}</p>}
        {usage.value && plot && (
          <>
            <dl class="figures">
              <Figure name="Cost" value={usd(usage.value.total.costUsd)} />
              <Figure name="Runs" value={count(usage.value.total.runs)} />
              <Figure name="Tokens read" value={count(readTokens(usage.value.total))} />
              <Figure name="Tokens written" value={count(usage.value.total.tokens.output)} />
            </dl>
            <Plot plot={plot} />
            <Table usage={usage.value} />
            <p class="small dim">Costs are Claude Code’s own estimates. Days are those of {usage.value.timeZone}.</p>
          </>
        )}
      </div>
    </div>
  )
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt class="small dim">{name}</dt>
      <dd class="figure numeric">{value}</dd>
    </div>
  )
}

/** Plots the table below. Hidden from screen readers, which read the table instead. */
function Plot({ plot: { days, models, top } }: { plot: UsagePlot }) {
  const slot = 100 / days.length
  const y = (costUsd: number) => height - (costUsd / top) * height
  return (
    <figure class="plot" aria-hidden="true">
      <div class="plot-scale small dim numeric">
        <span>{usd(top)}</span>
        <span>{usd(top / 2)}</span>
        <span>$0</span>
      </div>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" focusable="false">
        {[0, 0.5, 1].map(part => (
          <line key={part} class="plot-line" x1="0" x2="100" y1={y(top * part)} y2={y(top * part)} />
        ))}
        {days.map(({ day, costUsd, parts }, index) => (
          <g key={day}>
            <title>{`${day}: ${usd(costUsd)}`}</title>
            <rect class="plot-slot" x={index * slot} y="0" width={slot} height={height} />
            {parts.map(({ model, from, to }) => (
              <rect
                key={model}
                class={`series-${models.indexOf(model) + 1}`}
                x={index * slot + slot * 0.14}
                width={slot * 0.72}
                y={y(to)}
                height={Math.max(0.5, y(from) - y(to))}
              />
            ))}
          </g>
        ))}
      </svg>
      <div class="plot-days small dim">
        <span>{days[0]?.day}</span>
        <span>{days.at(-1)?.day}</span>
      </div>
      <ul class="legend small">
        {models.map((model, index) => (
          <li key={model}>
            <svg viewBox="0 0 10 10" width="10" height="10">
              <rect class={`series-${index + 1}`} width="10" height="10" rx="2" />
            </svg>
            {model}
          </li>
        ))}
      </ul>
    </figure>
  )
}

function Table({ usage: { rows, more } }: { usage: Usage }) {
  if (!rows.length) return <p class="empty">Nothing was used in these days.</p>
  const latestFirst = [...rows].sort((a, b) => (b.day ?? '').localeCompare(a.day ?? '') || b.costUsd - a.costUsd)
  return (
    <table class="table numeric">
      <caption class="unseen">Usage by day and model</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Model</th>
          <th scope="col" class="number">
            Runs
          </th>
          <th scope="col" class="number spare">
            Read
          </th>
          <th scope="col" class="number spare">
            Written
          </th>
          <th scope="col" class="number">
            Cost
          </th>
        </tr>
      </thead>
      <tbody>
        {latestFirst.map(row => (
          <tr key={`${row.day} ${row.model}`}>
            <td class="date">{row.day}</td>
            <td class="given">{nameOf(row)}</td>
            <td class="number">{count(row.runs)}</td>
            <td class="number spare">{count(readTokens(row))}</td>
            <td class="number spare">{count(row.tokens.output)}</td>
            <td class="number">{usd(row.costUsd)}</td>
          </tr>
        ))}
      </tbody>
      {more > 0 && (
        <tfoot>
          <tr>
            <td colSpan={6}>{more} more rows are counted above and not shown.</td>
          </tr>
        </tfoot>
      )}
    </table>
  )
}

const readTokens = ({ tokens: { input, cacheCreation, cacheRead } }: Pick<Usage['rows'][number], 'tokens'>) =>
  input + cacheCreation + cacheRead
