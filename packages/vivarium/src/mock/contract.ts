import { VivariumError } from '../core/errors.ts'
import { itself } from './definition.ts'
import { parameterCount } from './parameter-count.ts'
import type { SchemaIssue, StandardSchema } from './standard-schema.ts'

/** One rule of a contract that a call or an answer breaks. */
export interface Violation {
  /** `args[0].amountCents`, `result.status`. */
  readonly path: string
  readonly value: unknown
  readonly rule: string
}

/** A function's contract as the runtime sees it. */
interface KnownFunction {
  readonly mirrored?: (...args: never[]) => unknown
  readonly args?: StandardSchema | readonly StandardSchema[]
  readonly result?: StandardSchema
}

/** The form that `MockContract` has, whatever it is a contract of. */
interface AnyContract {
  readonly mirrors?: unknown
  readonly functions?: Readonly<Record<string, Pick<KnownFunction, 'args' | 'result'>>>
  readonly args?: KnownFunction['args']
  readonly result?: KnownFunction['result']
}

/** What a mock is checked by while it is used. */
export class RuntimeContract {
  readonly #functions: ReadonlyMap<string, KnownFunction>

  constructor(name: string, contract: object) {
    this.#functions = readContract(name, contract)
  }

  /** Every function, by name. */
  get names(): readonly string[] {
    return [...this.#functions.keys()]
  }

  has(fn: string): boolean {
    return this.#functions.has(fn)
  }

  /** What a call's arguments break; a promise where a schema needs time. */
  checkArguments(fn: string, args: readonly unknown[]): readonly Violation[] | Promise<readonly Violation[]> {
    const { mirrored, args: schemas } = this.#functions.get(fn) ?? {}
    const most = isEach(schemas) ? schemas.length : mirrored && parameterCount(mirrored)
    if (most !== undefined && args.length > most) {
      const rule = `${most === 0 ? 'no arguments are' : most === 1 ? 'one argument is' : `${most} arguments are`} taken`
      return [{ path: `args[${most}]`, value: args[most], rule }]
    }
    if (schemas === undefined) return []
    if (!isEach(schemas)) return check(schemas, args, 'args')
    const each = schemas.map((schema, index) => check(schema, args[index], `args[${index}]`))
    if (each.some((found) => found instanceof Promise))
      return Promise.all(each.map(async (found) => found)).then((found) => found.flat())
    return (each as (readonly Violation[])[]).flat()
  }

  hasResult(fn: string): boolean {
    return this.#functions.get(fn)?.result !== undefined
  }

  /** What an answer breaks. */
  checkResult(fn: string, value: unknown): readonly Violation[] | Promise<readonly Violation[]> {
    const schema = this.#functions.get(fn)?.result
    return schema === undefined ? [] : check(schema, value, 'result')
  }
}

function isEach(schemas: KnownFunction['args']): schemas is readonly StandardSchema[] {
  return Array.isArray(schemas)
}

function check(
  schema: StandardSchema,
  value: unknown,
  root: string,
): readonly Violation[] | Promise<readonly Violation[]> {
  const judge = ({ issues = [] }: { readonly issues?: readonly SchemaIssue[] | undefined }): readonly Violation[] =>
    issues.map((issue) => violation(issue, value, root))
  const result = schema['~standard'].validate(value)
  // Also a promise of another realm, or of a library.
  return 'then' in result ? Promise.resolve(result).then(judge) : judge(result)
}

function violation({ message, path = [] }: SchemaIssue, value: unknown, root: string): Violation {
  const keys = path.map((part) => (typeof part === 'object' ? part.key : part))
  const at = keys.map((key) => (/^[\p{L}_$][\p{L}\d_$]*$/u.test(String(key)) ? `.${String(key)}` : `[${String(key)}]`))
  const found = keys.reduce<unknown>(
    (inside, key) => (inside as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key],
    value,
  )
  return { path: root + at.join(''), value: found, rule: message }
}

function readContract(name: string, contract: AnyContract): ReadonlyMap<string, KnownFunction> {
  const { mirrors, functions, args, result } = contract
  const known = new Map<string, KnownFunction>()
  const sources = Array.isArray(mirrors) ? mirrors : mirrors === undefined ? [] : [mirrors]
  for (const source of sources) for (const [fn, mirrored] of mirroredFunctions(source)) known.set(fn, { mirrored })
  for (const [fn, schemas] of Object.entries(functions ?? {})) {
    if (sources.length > 0 && !known.has(fn)) {
      throw invalid(name, `\`functions\` names "${fn}", which ${named([...known.keys()])} does not have`)
    }
    known.set(fn, { ...known.get(fn), ...schemas })
  }
  if (args !== undefined || result !== undefined) known.set(itself, { ...known.get(itself), args, result })
  for (const [fn, one] of known) {
    const schemas = isEach(one.args) ? one.args : one.args === undefined ? [] : [one.args]
    for (const schema of [...schemas, one.result]) {
      if (schema !== undefined && !isSchema(schema)) throw invalid(name, `a schema of "${fn}" is no Standard Schema`)
    }
  }
  if (known.size === 0) throw invalid(name, 'no function was found in it')
  return known
}

function isSchema(value: unknown): boolean {
  const standard = (value as Partial<StandardSchema> | null)?.['~standard'] as { validate?: unknown } | undefined
  return typeof standard?.validate === 'function'
}

/** The functions of a class's instances, of an object, or of a function itself. */
function mirroredFunctions(source: unknown): ReadonlyMap<string, KnownFunction['mirrored']> {
  const found = new Map<string, KnownFunction['mirrored']>()
  if (typeof source === 'function') {
    const fn = source as (...args: never[]) => unknown
    if (!isClass(fn)) return new Map([[itself, fn]])
    collect(fn.prototype, found)
  } else if (typeof source === 'object' && source !== null) collect(source, found)
  return found
}

function isClass(source: (...args: never[]) => unknown): boolean {
  if (Function.prototype.toString.call(source).startsWith('class')) return true
  const prototype: unknown = source.prototype
  return typeof prototype === 'object' && prototype !== null && Object.getOwnPropertyNames(prototype).length > 1
}

/** Names of the functions that an implementation has. */
export function functionNames(implementation: object): readonly string[] {
  const found = new Map<string, KnownFunction['mirrored']>()
  collect(implementation, found)
  return [...found.keys()]
}

/** Own functions and inherited ones, without those that every object has. */
function collect(object: unknown, found: Map<string, KnownFunction['mirrored']>): void {
  for (let at = object; typeof at === 'object' && at !== null && !isRoot(at); at = Object.getPrototypeOf(at)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (key !== 'constructor' && typeof value === 'function' && !found.has(key)) {
        found.set(key, value as (...args: never[]) => unknown)
      }
    }
  }
}

function isRoot(object: object): boolean {
  return Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'hasOwnProperty')
}

function named(names: readonly string[]): string {
  return names.length === 0 ? 'what it mirrors' : `what it mirrors (${names.join(', ')})`
}

function invalid(name: string, seen: string): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: `The contract of mock "${name}" cannot be used.`,
    seen,
    remedy:
      '`mirrors` takes a class, an instance or a list of them; `functions` takes for each function `args` and `result`, ' +
      'schemas of zod, valibot or another library of Standard Schema.',
  })
}
