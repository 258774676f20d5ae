import type { Origins } from './convert-schema.ts'
import { lastStep, pointerTo } from './json-pointer.ts'
import { missing, sayRule } from './rule-messages.ts'
import type { SchemaUnits, Tried, UnitError } from './schema-units.ts'

/** One rule of a schema that a value breaks. */
export interface SchemaFinding {
  /** JSON pointer into the value. */
  readonly pointer: string
  readonly rule: string
  /** JSON pointer into the document. */
  readonly ruleAt: string
  readonly value: unknown
  readonly message: string
}

/** A finding, and which schema of the unit at hand led to it. */
interface Found {
  readonly finding: SchemaFinding
  readonly schemaAt: string
  /** That schema says it itself. */
  readonly own: boolean
}

/** What Ajv's errors say about the document and the value. Of alternatives that all fail, only the nearest one's. */
export function explainErrors(errors: readonly UnitError[], units: SchemaUnits, origins: Origins): SchemaFinding[] {
  let found: Found[] = []
  for (const error of errors) {
    const path = error.instancePath ?? ''
    const schemaAt = origins.pointers.get(error.parentSchema ?? {}) ?? ''
    const add = (findings: readonly SchemaFinding[], own = false): void => {
      found.push(...findings.map((finding) => ({ finding, schemaAt, own })))
    }
    if (error.inner !== undefined) add(explainErrors(error.inner, units, origins))
    else if (error.tried !== undefined) add(explainTried(error.tried, path, units, origins))
    else {
      const branches = origins.branches.get(error.parentSchema ?? {})?.find(({ kind }) => kind === error.keyword)
      if (branches === undefined) {
        add(explainOne(error, schemaAt, units), true)
        continue
      }
      // Ajv has listed what each alternative said before; the nearest one is enough.
      const places = branches.branches.flatMap((branch) => units.view.inPlace(branch).map(({ pointer }) => pointer))
      found = found.filter((one) => !places.some((at) => isWithin(one.schemaAt, at)))
      add(explainTried(units.tryBranches(branches, error.data, contextAt(path)), path, units, origins))
    }
  }
  return withoutEchoes(found, units)
}

function explainOne(error: UnitError, schemaAt: string, units: SchemaUnits): SchemaFinding[] {
  const { keyword = '', params = {}, instancePath: path = '', data, schema } = error
  // What `then` and `else` say is in the list by itself, and so is which name `propertyNames` refused.
  if (keyword === 'if' || (error.propertyName !== undefined && keyword !== 'propertyNames')) return []
  const at = (rule: string, pointer: string, value: unknown, message: string): SchemaFinding => ({
    pointer,
    rule,
    ruleAt: pointerTo(schemaAt, rule),
    value,
    message,
  })
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return [at(keyword, pointerTo(path, String(params['missingProperty'])), undefined, missing(keyword, params))]
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const value = (data as Record<string, unknown>)[name]
      const message = sayRule(keyword, { name, known: units.view.names(schemaAt) }, value, schema)
      const found = at(keyword, pointerTo(path, name), value, message)
      // The document itself does not say so: that is where its list of fields stands.
      return keyword === 'unevaluatedProperties' && units.closed.has(error.parentSchema ?? {})
        ? [{ ...found, ruleAt: schemaAt, rule: 'unknownFields' }]
        : [found]
    }
    case 'vivarium-refused':
    case 'false schema': {
      const rule = keyword === 'false schema' ? 'false' : String(schema)
      const ruleAt = rule === 'false' ? schemaAt : pointerTo(schemaAt, rule)
      return [{ ...at(rule, path, data, sayRule(rule, params, data, schema)), ruleAt }]
    }
    default:
      return [at(keyword, path, data, sayRule(keyword, params, data, schema))]
  }
}

function explainTried(tried: Tried, path: string, units: SchemaUnits, origins: Origins): SchemaFinding[] {
  const { kind, pointer: ruleAt, discriminator, value, errors } = tried
  const finding = { pointer: path, rule: kind, ruleAt, value }
  if (discriminator !== undefined && errors.length === 0) {
    const { property, branchOf } = discriminator
    const tag = (value as Record<string, unknown>)[property]
    const names = [...branchOf.keys()].map((name) => JSON.stringify(name)).join(', ')
    const message =
      tag === undefined ? `is missing; it says which of the alternatives is meant: ${names}` : `must be one of ${names}`
    const at = pointerTo(ruleAt.slice(0, ruleAt.lastIndexOf('/')), 'discriminator')
    return [{ pointer: pointerTo(path, property), rule: 'discriminator', ruleAt: at, value: tag, message }]
  }
  const names = tried.branches.map((branch) => nameOf(branch, units))
  const valid = names.filter((_, index) => errors[index] === undefined)
  if (valid.length > 0) return [{ ...finding, message: `fits ${valid.join(' and ')}, where exactly one is to fit` }]
  const each = errors.flatMap((list) =>
    list === undefined || list.length === 0 ? [] : [explainErrors(list, units, origins)],
  )
  if (each.length === 1) return each[0] ?? []
  const near = each.filter((findings) => !findings.some((one) => isOtherKind(one, path)))
  // One that is of the kind meant: what it says is what matters.
  if (near.length === 1) return near[0] ?? []
  const said = each.map((findings, index) => {
    const first = findings.find((one) => isOtherKind(one, path)) ?? findings[0]
    const below = first?.pointer.slice(path.length) ?? ''
    return `${names[index]} (${below === '' ? '' : `${below} `}${first?.message})`
  })
  return [{ ...finding, message: `fits none of ${each.length} alternatives: ${said.join('; ')}` }]
}

/** Whether a finding says that the value is meant for something else: of another type, or with another tag. */
function isOtherKind({ pointer, rule }: SchemaFinding, path: string): boolean {
  const below = pointer.slice(path.length)
  if (below === '') return rule === 'type' || rule === 'const' || rule === 'enum'
  return (rule === 'const' || rule === 'enum') && below.lastIndexOf('/') === 0
}

/** A field that some alternative lists was not looked at because that one failed: the failure is the news. */
function withoutEchoes(found: readonly Found[], units: SchemaUnits): SchemaFinding[] {
  const isUnknown = ({ rule }: SchemaFinding): boolean => rule === 'unevaluatedProperties' || rule === 'unknownFields'
  const isEcho = ({ finding, schemaAt, own }: Found): boolean => {
    if (!own || !isUnknown(finding)) return false
    const owner = finding.pointer.slice(0, finding.pointer.lastIndexOf('/'))
    const isNews = found.some(({ finding: other }) => !isUnknown(other) && isWithin(other.pointer, owner))
    return isNews && units.view.names(schemaAt).includes(lastStep(finding.pointer))
  }
  return found.filter((one) => !isEcho(one)).map(({ finding }) => finding)
}

function isWithin(pointer: string, owner: string): boolean {
  return pointer === owner || pointer.startsWith(`${owner}/`)
}

function nameOf(branch: string, units: SchemaUnits): string {
  const target = units.view.target(branch)
  return target === branch ? `no. ${Number(lastStep(branch)) + 1}` : lastStep(target)
}

function contextAt(instancePath: string): NonNullable<Parameters<SchemaUnits['tryBranches']>[2]> {
  return { instancePath, parentData: {}, parentDataProperty: '', rootData: {}, dynamicAnchors: {} }
}
