import type { Ajv2020 } from 'ajv/dist/2020.js'
import type {
  AnySchemaObject,
  DataValidateFunction,
  DataValidationCxt,
  ErrorObject,
  ValidateFunction,
} from 'ajv/dist/types/index.js'
import { VivariumError } from '../../core/errors.ts'
import { SchemaConverter, ownKeywords } from './convert-schema.ts'
import type { Branches, UnitScope } from './convert-schema.ts'
import { isObject, objectIn } from './document.ts'
import type { OpenApiDocument } from './document.ts'
import { pointerTo, valueAt } from './json-pointer.ts'
import { explainErrors } from './explain-errors.ts'
import type { SchemaFinding } from './explain-errors.ts'
import { readPattern } from './schema-keywords.ts'
import type { SchemaView } from './schema-view.ts'
import type { Side } from './types.ts'

/** An error of Ajv's, or one of a keyword of ours with what was found behind it. */
export interface UnitError extends Partial<ErrorObject> {
  /** Of {@link ownKeywords.unit}: the other unit's errors. */
  readonly inner?: readonly UnitError[]
  /** Of an `anyOf` or `oneOf`: what each alternative said; `undefined` where it is valid. */
  readonly tried?: Tried
}

/** The alternatives of an `anyOf` or `oneOf`, tried on a value. */
export interface Tried extends Branches {
  readonly value: unknown
  /** By alternative; empty where the discriminator chose none. */
  readonly errors: readonly (readonly UnitError[] | undefined)[]
}

interface Unit {
  readonly id: string
  readonly pointer: string
  readonly scope: UnitScope
  validate: ValidateFunction | undefined
}

/**
 * A document's schemas, compiled in small units when they are first needed, and once: what a document holds beyond what a test
 * uses costs nothing. A unit ends wherever a value of its own begins that refers to other schemas.
 */
export class SchemaUnits {
  readonly view: SchemaView
  readonly #document: OpenApiDocument
  readonly #ajv: Ajv2020
  readonly #converter: SchemaConverter
  readonly #units: Map<string, Unit> = new Map()
  readonly #byId: Map<string, Unit> = new Map()
  readonly #ends: Set<string> = new Set()

  constructor(document: OpenApiDocument, view: SchemaView, ajv: Ajv2020, closing: boolean) {
    this.#document = document
    this.view = view
    this.#ajv = ajv
    this.#converter = new SchemaConverter(document, view, closing, (pointer, scope) => this.#unitAt(pointer, scope).id)
    ajv.addKeyword({ keyword: ownKeywords.unit, validate: this.#keyword(this.#checkUnit) })
    ajv.addKeyword({ keyword: ownKeywords.anyOf, validate: this.#keyword(this.#checkBranches) })
    ajv.addKeyword({ keyword: ownKeywords.oneOf, validate: this.#keyword(this.#checkBranches) })
    ajv.addKeyword({ keyword: ownKeywords.refused, validate: () => false })
  }

  /** The schemas that were closed because of `unknownFields: 'refuse'`. */
  get closed(): WeakSet<object> {
    return this.#converter.closed
  }

  /** What of a value breaks the schema at a pointer. Throws `CONTRACT_INVALID` where that is written wrongly. */
  check(pointer: string, side: Side, value: unknown): readonly SchemaFinding[] {
    const unit = this.#unitAt(pointer, { side, annotated: false, whole: true })
    const errors = this.#errors(unit, value, undefined)
    return errors === undefined ? none : explainErrors(errors, this, this.#converter.origins)
  }

  /** What each alternative says of a value. */
  tryBranches(branches: Branches, value: unknown, context: DataValidationCxt | undefined): Tried {
    const { discriminator } = branches
    const tag = discriminator === undefined || !isObject(value) ? undefined : value[discriminator.property]
    const chosen = typeof tag === 'string' ? discriminator?.branchOf.get(tag) : undefined
    if (discriminator !== undefined && isObject(value) && chosen === undefined)
      return { ...branches, value, errors: [] }
    const scope = { side: branches.side, annotated: false, whole: false }
    const errors = branches.branches.map((pointer, index) =>
      chosen === undefined || chosen === index ? this.#errors(this.#unitAt(pointer, scope), value, context) : unchosen,
    )
    return { ...branches, value, errors }
  }

  #errors(unit: Unit, value: unknown, context: DataValidationCxt | undefined): readonly UnitError[] | undefined {
    unit.validate ??= this.#compile(unit)
    return unit.validate(value, context) ? undefined : (unit.validate.errors ?? [])
  }

  #checkUnit(id: unknown, value: unknown, context: DataValidationCxt | undefined): UnitError | undefined {
    const unit = this.#byId.get(String(id))
    const inner = unit === undefined ? undefined : this.#errors(unit, value, context)
    return inner === undefined ? undefined : { keyword: ownKeywords.unit, inner }
  }

  #checkBranches(definition: unknown, value: unknown, context: DataValidationCxt | undefined): UnitError | undefined {
    const branches = definition as Branches
    const tried = this.tryBranches(branches, value, context)
    const valid = tried.errors.filter((errors) => errors === undefined).length
    const fits = branches.kind === 'anyOf' ? valid > 0 : valid === 1
    return fits ? undefined : { keyword: branches.kind, tried }
  }

  /** A check as Ajv calls it: what it found stands in a property of the function. */
  #keyword(
    check: (schema: unknown, value: unknown, context: DataValidationCxt | undefined) => UnitError | undefined,
  ): DataValidateFunction &
    ((schema: unknown, value: unknown, parent?: unknown, context?: DataValidationCxt) => boolean) {
    const validate = (schema: unknown, value: unknown, parent?: unknown, context?: DataValidationCxt): boolean => {
      const error = check.call(this, schema, value, context)
      validate.errors = error === undefined ? undefined : [{ ...error, parentSchema: parent as AnySchemaObject }]
      return error === undefined
    }
    validate.errors = undefined as Partial<ErrorObject>[] | undefined
    return validate
  }

  #unitAt(pointer: string, scope: UnitScope): Unit {
    const key = `${scope.side} ${scope.annotated} ${scope.whole} ${pointer}`
    const known = this.#units.get(key)
    if (known !== undefined) return known
    const unit: Unit = { id: `vivarium:unit-${this.#units.size}`, pointer, scope, validate: undefined }
    this.#units.set(key, unit)
    this.#byId.set(unit.id, unit)
    // Ajv looks up what its own references name while it compiles.
    if (scope.annotated) this.#ajv.addSchema(this.#converter.convertUnit(pointer, scope), unit.id)
    return unit
  }

  #compile(unit: Unit): ValidateFunction {
    this.#refuseEndless(unit.pointer, [])
    const schema = this.#converter.convertUnit(unit.pointer, unit.scope)
    try {
      return this.#ajv.compile(schema)
    } catch (error) {
      if (error instanceof VivariumError) throw error
      throw this.#document.invalid(unit.pointer, `the schema cannot be compiled: ${String(error)}`)
    }
  }

  /** A schema that is, in place, part of itself would be checked without end. */
  #refuseEndless(pointer: string, above: readonly string[]): void {
    if (this.#ends.has(pointer)) return
    if (above.includes(pointer)) {
      const remedy = 'A schema may contain itself below a property or an item, not in place.'
      throw this.#document.invalid(pointer, 'the schema is a part of itself: it would be checked without end', remedy)
    }
    const schema = valueAt(this.#document.root, pointer)
    if (!isObject(schema)) return
    const path = [...above, pointer]
    if (typeof schema['$ref'] === 'string') {
      this.#refuseEndless(this.#document.targetOf(schema['$ref'], pointer), path)
    }
    for (const name of ['allOf', 'anyOf', 'oneOf']) {
      const list = schema[name]
      if (Array.isArray(list)) list.forEach((_, index) => this.#refuseEndless(pointerTo(pointer, name, index), path))
    }
    for (const name of ['not', 'if', 'then', 'else']) {
      if (name in schema) this.#refuseEndless(pointerTo(pointer, name), path)
    }
    for (const name of Object.keys(objectIn(schema, 'dependentSchemas') ?? {})) {
      this.#refuseEndless(pointerTo(pointer, 'dependentSchemas', name), path)
    }
    this.#ends.add(pointer)
  }
}

const none: readonly SchemaFinding[] = []
const unchosen: readonly UnitError[] = []

/** Loads Ajv with the formats, set up for {@link SchemaUnits}. */
export async function loadAjv(): Promise<Ajv2020> {
  const { Ajv2020, addFormats } = await import('./ajv-library.ts')
  const ajv = new Ajv2020({
    allErrors: true,
    // Each error has the schema that it comes from: that tells its place in the document.
    verbose: true,
    // The document's schemas are looked at before, with their places; here they are known to be right.
    meta: false,
    validateSchema: false,
    strict: false,
    logger: false,
    ownProperties: true,
    // 19.99 is a multiple of 0.01, whatever binary fractions say.
    multipleOfPrecision: 6,
    code: { regExp },
  })
  addFormats(ajv)
  return ajv
}

const regExp = Object.assign(
  (pattern: string, flags: string): RegExp => readPattern(pattern) ?? new RegExp(pattern, flags),
  {
    code: 'new RegExp',
  },
)
