/** A mail service as a process of its own: takes every mail, and prints its recipients and its text as one line of JSON. */
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, { envelope }, done) {
    let message = ''
    stream.setEncoding('utf8').on('data', (text: string) => (message += text))
    stream.on('end', () => {
      console.log(JSON.stringify({ to: envelope.rcptTo.map(({ address }) => address), message }))
      done()
    })
  },
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ listening: (server.server.address() as AddressInfo).port }))
})
