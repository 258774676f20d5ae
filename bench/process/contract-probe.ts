import { openContract } from 'vivarium/http'
import { apiUrl } from '../fixture/openapi.ts'

// One process's way from a document in a file to checked requests and responses. Argument: the document's path.
const [, , path = ''] = process.argv

const started = performance.now()
const contract = await openContract(path)
const openMs = performance.now() - started

const request = {
  method: 'POST',
  url: `${apiUrl}/v1/resource7/re_1?limit=10`,
  headers: [['Content-Type', 'application/x-www-form-urlencoded']] as const,
  body: Buffer.from('amount=1000&currency=usd&metadata[order]=7&items[0][price]=p_1&items[0][quantity]=2'),
}
const answer = {
  id: 're_1',
  object: 'resource7',
  metadata: { order: '7' },
  field_0: 'a text',
  field_4: null,
  field_8: [],
}
const response = {
  status: 200,
  headers: [['Content-Type', 'application/json']] as const,
  body: Buffer.from(JSON.stringify(answer)),
}
const checkRequest = (): number => contract.checkRequest(request).violations.length
const checkResponse = (): number => contract.checkResponse(request, response).length

const firstRequestMs = timed(checkRequest)
const firstResponseMs = timed(checkResponse)
const requestMs = median(checkRequest)
const responseMs = median(checkResponse)
process.send?.({ openMs, firstRequestMs, firstResponseMs, requestMs, responseMs })
process.disconnect()

function timed(check: () => number): number {
  const from = performance.now()
  const violations = check()
  const ms = performance.now() - from
  if (violations > 0) throw new Error('A valid message broke the contract')
  return ms
}

function median(check: () => number): number {
  const all = Array.from({ length: 2_000 }, () => timed(check)).toSorted((one, other) => one - other)
  return all[all.length / 2] ?? Number.NaN
}
