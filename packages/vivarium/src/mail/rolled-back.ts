import {
  hasArrived,
  type Interaction,
  type ObservedMail,
  type ObservedQuery,
  type Recorder,
} from '../core/interactions.ts'
import { describeMail } from './render.ts'

/**
 * Warns of each mail that was sent while a transaction was open that then rolled back: what it tells has not happened. A
 * mail carries no transaction, so every one that is open in the sandbox counts. Savepoints are not looked at.
 */
export function watchRollbacks(recorder: Recorder): () => void {
  /** Open transactions by connection, with the mails sent meanwhile. */
  const open = new Map<number, ObservedMail[]>()

  const read = (interaction: Interaction): void => {
    if (interaction.component === 'mail' && hasArrived(interaction))
      for (const mails of open.values()) mails.push(interaction)
    if (interaction.component !== 'postgres') return
    const { connection, command, transaction } = interaction
    // A transaction's own BEGIN is recorded outside of it.
    if (command === 'BEGIN' || command === 'START TRANSACTION') open.set(connection, open.get(connection) ?? [])
    else if (transaction === undefined) open.delete(connection)
    else if (!open.has(connection)) open.set(connection, [])
    const outcome = transaction === undefined ? undefined : outcomeOf(interaction)
    if (outcome === undefined) return
    if (outcome === 'rolled back') for (const mail of open.get(connection) ?? []) warn(mail, interaction)
    open.delete(connection)
  }

  const warn = (mail: ObservedMail, { text }: ObservedQuery): void =>
    recorder.warn({
      component: 'mail',
      kind: 'mail-before-rollback',
      message:
        `the mail ${describeMail(mail)} was sent while a transaction was open that then rolled back; what it tells may not ` +
        'have happened. Send mails after COMMIT',
      text,
    })

  // Begun at the first mail: a transaction may be open already.
  recorder.interactions.forEach(read)
  return recorder.follow(read)
}

/** How a statement inside a transaction ended that transaction; `undefined` when it goes on. */
function outcomeOf({ text, command, error }: ObservedQuery): 'committed' | 'rolled back' | undefined {
  const words = text.replace(/^(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '').toLowerCase()
  // A COMMIT that a deferred constraint refuses.
  if (error !== undefined) return /^(commit|end)\b/.test(words) ? 'rolled back' : undefined
  if (command === 'COMMIT' || command === 'PREPARE TRANSACTION') return 'committed'
  const isToSavepoint = /^rollback(\s+(work|transaction))?\s+to\b/.test(words)
  return command === 'ROLLBACK' && !isToSavepoint ? 'rolled back' : undefined
}
