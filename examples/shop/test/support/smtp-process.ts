/** A mail service as a process of its own: takes every mail, and prints its recipients and its text as one line of JSON. */
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, { envelope }, done) {
    text(stream).then((message) => {
      console.log(JSON.stringify({ to: envelope.rcptTo.map(({ address }) => address), message }))
      done()
    }, done)
  },
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ listening: (server.server.address() as AddressInfo).port }))
})
