import { nearestName } from '../../core/nearest-name.ts'

/** A path of a document that a URL's path matches. */
export interface PathMatch {
  /** As the document writes it. */
  readonly path: string
  /** What stands in place of the names in braces, still percent-encoded. */
  readonly values: ReadonlyMap<string, string>
}

interface TemplateStep {
  readonly pattern: RegExp
  readonly names: readonly string[]
  /** Fixed characters: the more, the more specific. */
  readonly fixed: number
  readonly next: PathNode
}

interface PathNode {
  readonly fixed: Map<string, PathNode>
  /** The most specific first. */
  readonly templates: TemplateStep[]
  path: string | undefined
}

/** Finds the path template that a URL's path matches: segment by segment a fixed one wins over one with a name in braces. */
export class PathIndex {
  readonly #root: PathNode = emptyNode()
  readonly #paths: string[] = []

  add(path: string): void {
    this.#paths.push(path)
    let node = this.#root
    for (const segment of path.split('/').slice(1)) node = nextNode(node, segment)
    node.path = path
  }

  /** The most specific path that matches. */
  find(pathname: string): PathMatch | undefined {
    const values = new Map<string, string>()
    const path = search(this.#root, pathname.split('/'), 1, values)
    return path === undefined ? undefined : { path, values }
  }

  /** The path that a mistyped one most likely meant: names in braces fit whatever stands there. */
  nearest(pathname: string): string | undefined {
    const segments = pathname.split('/')
    const filled = new Map(
      this.#paths.map((path) => {
        const steps = path.split('/').map((step, index) => step.replace(/\{[^{}]*\}/, segments[index] ?? '$&'))
        return [steps.join('/'), path]
      }),
    )
    return filled.get(nearestName(pathname, [...filled.keys()]) ?? '')
  }
}

function search(
  node: PathNode,
  segments: readonly string[],
  at: number,
  values: Map<string, string>,
): string | undefined {
  const segment = segments[at]
  if (segment === undefined) return node.path
  const fixed = node.fixed.get(segment) ?? node.fixed.get(decoded(segment))
  const found = fixed === undefined ? undefined : search(fixed, segments, at + 1, values)
  if (found !== undefined) return found
  for (const { pattern, names, next } of node.templates) {
    const match = pattern.exec(segment)
    const path = match === null ? undefined : search(next, segments, at + 1, values)
    if (match === null || path === undefined) continue
    names.forEach((name, index) => values.set(name, match[index + 1] ?? ''))
    return path
  }
  return undefined
}

function nextNode(node: PathNode, segment: string): PathNode {
  const parts = segment.split(/\{([^{}]*)\}/)
  if (parts.length === 1) {
    const next = node.fixed.get(segment) ?? emptyNode()
    node.fixed.set(segment, next)
    return next
  }
  // Fixed text and names alternate, fixed text first.
  const source = parts
    .map((part, index) => (index % 2 === 1 ? '(.+?)' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)))
    .join('')
  const names = parts.filter((_, index) => index % 2 === 1)
  const known = node.templates.find(
    (step) => step.pattern.source === `^${source}$` && String(step.names) === String(names),
  )
  if (known !== undefined) return known.next
  const fixed = parts.filter((_, index) => index % 2 === 0).join('').length
  const step = { pattern: new RegExp(`^${source}$`), names, fixed, next: emptyNode() }
  node.templates.push(step)
  node.templates.sort((one, other) => other.fixed - one.fixed)
  return step.next
}

function emptyNode(): PathNode {
  return { fixed: new Map(), templates: [], path: undefined }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
