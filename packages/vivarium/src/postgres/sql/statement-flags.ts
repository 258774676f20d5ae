import { Lexer } from './lexer.ts'
import type { StatementFlags } from './statement.ts'

const catalogueVerbs: ReadonlySet<string> = new Set(
  'create alter drop grant revoke comment security reassign import reindex do call'.split(' '),
)
const readingVerbs: ReadonlySet<string> = new Set(['select', 'with', '(', 'explain', 'prepare'])

/** Collects {@link StatementFlags} while a lexer walks over one statement. */
export class FlagCollector {
  #flags: StatementFlags = noFlags()
  #verb = ''
  #previous = ''
  #first = true

  /** Takes the lexer's current token. */
  see(lexer: Lexer): void {
    const { kind } = lexer
    if (this.#first) {
      this.#first = false
      this.#verb = kind === 'word' ? lexer.value() : lexer.raw()
      this.#flags.ddl = catalogueVerbs.has(this.#verb)
    }
    if (kind === 'word') {
      this.#previous = mayMatter(lexer) ? this.#seeName(lexer.value()) : ''
    } else if (kind === 'quotedIdentifier') {
      this.#previous = this.#seeName(lexer.value())
    } else if (kind === 'punctuation') {
      if (this.#previous === 'now' && lexer.text.charCodeAt(lexer.start) === 40) this.#flags.readsNow = true
      this.#previous = ''
    } else if (kind === 'string') {
      if (this.#verb === 'do') this.#seeBody(lexer.value(), 0)
      this.#previous = ''
    } else {
      this.#previous = ''
    }
  }

  /** The flags of the statement that ends here; the next one starts afresh. */
  take(): StatementFlags {
    const flags = this.#flags
    this.#flags = noFlags()
    this.#first = true
    this.#previous = ''
    return flags
  }

  #seeName(name: string): string {
    const flags = this.#flags
    switch (name) {
      case 'set_config':
        flags.mayCallSetConfig = true
        break
      case 'lo_open':
        flags.opensLargeObject = true
        break
      case 'temp':
      case 'temporary':
      case 'pg_temp':
        flags.saysTemporary = true
        break
      case 'pg_terminate_backend':
      case 'pg_cancel_backend':
        flags.terminatesBackend = true
        break
      case 'pg_notify':
        flags.notifies = true
        break
      case 'nowait':
        flags.skipLocked = true
        break
      case 'locked':
        if (this.#previous === 'skip') flags.skipLocked = true
        break
      case 'current_timestamp':
      case 'current_time':
      case 'current_date':
      case 'localtime':
      case 'localtimestamp':
      case 'transaction_timestamp':
        flags.readsNow = true
        break
      case 'create':
        if (this.#verb === 'explain') flags.ddl = true
        break
      case 'into':
        // SELECT … INTO makes a table; INSERT INTO and MERGE INTO in a WITH do not.
        if (this.#previous !== 'insert' && this.#previous !== 'merge' && readingVerbs.has(this.#verb)) flags.ddl = true
        break
      case 'notify':
        if (this.#verb === 'notify') flags.notifies = true
        break
      default:
        if (name.startsWith('pg_advisory') || name.startsWith('pg_try_advisory')) flags.locksAdvisory = true
    }
    return name
  }

  /** The code of a DO block runs now, and what it executes stands in strings of its own. */
  #seeBody(body: string, depth: number): void {
    const lexer = new Lexer(body)
    while (lexer.next()) {
      if (lexer.kind === 'string') {
        this.#previous = ''
        if (depth < 4) this.#seeBody(lexer.value(), depth + 1)
        continue
      }
      this.see(lexer)
      if (lexer.kind !== 'word') continue
      const word = lexer.value()
      if (word === 'set' || word === 'reset') this.#flags.mayCallSetConfig = true
      if (word === 'notify') this.#flags.notifies = true
    }
  }
}

/** For each letter, the lengths of the words that count and begin with it, as bits (31: that long or longer). */
const lengthsByLetter = new Uint32Array(32)
for (const word of `set_config skip pg_terminate_backend pg_notify now nowait notify current_timestamp current_time
  current_date create locked localtime localtimestamp transaction_timestamp into insert merge temp temporary
  lo_open pg_temp pg_cancel_backend`.split(/\s+/)) {
  const letter = word.charCodeAt(0) & 31
  lengthsByLetter[letter] = (lengthsByLetter[letter] as number) | (1 << word.length)
}
// pg_advisory_… and pg_try_advisory_… come in many lengths.
lengthsByLetter[16] = (lengthsByLetter[16] as number) | (-1 << 'pg_advisory'.length)

/** Whether the current word can be one that counts, by first letter and length, so that most are never sliced. */
function mayMatter(lexer: Lexer): boolean {
  const length = Math.min(lexer.end - lexer.start, 31)
  return ((lengthsByLetter[lexer.text.charCodeAt(lexer.start) & 31] as number) & (1 << length)) !== 0
}

function noFlags(): StatementFlags {
  return {
    mayCallSetConfig: false,
    terminatesBackend: false,
    notifies: false,
    locksAdvisory: false,
    skipLocked: false,
    readsNow: false,
    ddl: false,
    saysTemporary: false,
    opensLargeObject: false,
  }
}
