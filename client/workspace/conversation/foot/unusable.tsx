import { harmless } from '../../../text/harmless.ts'

/** Replaces the prompt box of an unusable session and shows the reason. */
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
