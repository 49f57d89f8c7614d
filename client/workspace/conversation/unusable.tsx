import { harmless } from '../../text/harmless.ts'

/** In place of the prompt: why nothing more can be done in this session. */
export function Unusable({ reason, at }: { reason: string; at: number }) {
  return (
    <div class="unusable" role="alert">
      <p>
        <strong>This session is unusable.</strong> An error inside muxd stopped it on {new Date(at).toLocaleString()}.
        The session can be read, closed and deleted. Please report the error:
      </p>
      <pre dir="auto">{harmless(reason)}</pre>
    </div>
  )
}
