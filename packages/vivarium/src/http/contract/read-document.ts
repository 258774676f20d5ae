import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { VivariumError } from '../../core/errors.ts'

/** Reads a document of JSON or YAML. Rejects with `CONTRACT_UNREADABLE`: no file, or not the format. */
export async function readDocument(location: string | URL): Promise<unknown> {
  const path = location instanceof URL ? fileURLToPath(location) : location
  if (path.includes('\n')) {
    const remedy = 'Give its path, or the document itself as an object: JSON.parse(text).'
    throw unreadable('of several lines', new Error('a text where a path should be'), remedy)
  }
  const text = await readText(path)
  if (!/\.ya?ml$/i.test(path)) {
    try {
      return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
    } catch (error) {
      throw unreadable(path, error, 'Correct the JSON; a document of YAML is known by its name, `.yaml` or `.yml`.')
    }
  }
  const { parse } = await import('./yaml-library.ts')
  try {
    return parse(text) as unknown
  } catch (error) {
    throw unreadable(path, error, 'Correct the YAML.')
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error, 'Give the path of a file; a relative one starts in the working folder.')
  }
}

function unreadable(path: string, cause: unknown, remedy: string): VivariumError {
  return new VivariumError('CONTRACT_UNREADABLE', {
    what: `The OpenAPI document ${path} cannot be read.`,
    seen: cause instanceof Error ? cause.message.trimEnd() : String(cause),
    remedy,
    cause,
  })
}
