import { expect, test } from 'vitest'
import { observedMail } from '../../test/support/mails.ts'
import { codeIn } from './code-in.ts'
import { findLinks } from './find-links.ts'

test('links of a text end where the sentence around them does', () => {
  const text =
    'See https://a.example/x?b=1&c=2. Or (https://b.example/y), <https://c.example/z>;\nhttps://d.example/(in)/!'
  expect(findLinks(text, undefined)).toEqual([
    'https://a.example/x?b=1&c=2',
    'https://b.example/y',
    'https://c.example/z',
    'https://d.example/(in)/',
  ])
})

test('links of HTML are those of its anchors, decoded, however they are quoted', () => {
  const html =
    '<a class="x" href="https://a.example/?b=1&amp;c=&#50;">a</a> <A HREF=https://b.example/>b</A>' +
    '<a href=\'myapp://open?x="1"\'>c</a> <a href="#top">d</a> <a href=\'mailto:a@example.com\'>e</a>' +
    '<!-- <a href="https://hidden.example">f</a> --> <img src="https://image.example/i.png">'
  expect(findLinks(undefined, html)).toEqual(['https://a.example/?b=1&c=2', 'https://b.example/', 'myapp://open?x="1"'])
})

test('a link of both parts stands once', () => {
  expect(findLinks('https://a.example/', '<a href="https://a.example/">a</a>')).toEqual(['https://a.example/'])
})

test('a code is the first group of the pattern, else all that matches, from the text before the HTML', () => {
  const mail = observedMail({
    text: 'Your code: 123456',
    html: '<style>p { color: #654321 }</style><p>Your&nbsp;code: <b>123</b>456, PIN <b>77</b></p>',
    links: ['https://a.example/verify?token=t0-k_en&x=1'],
    subject: 'Ticket #42',
  })
  expect(codeIn(mail, /\d{6}/)).toBe('123456')
  expect(codeIn(mail, /PIN (\d+)/)).toBe('77')
  expect(codeIn(mail, /token=([\w-]+)/)).toBe('t0-k_en')
  expect(codeIn(mail, /#(\d+)/)).toBe('42')
})

test('a pattern with the flag g finds the same each time', () => {
  const pattern = /\d{6}/g
  expect([codeIn(observedMail(), pattern), codeIn(observedMail(), pattern)]).toEqual(['123456', '123456'])
})

test('a code that is not there is an error that shows the mail', () => {
  expect(() => codeIn(observedMail(), /token=(\w+)/)).toThrow(
    /"Welcome to the shop" matches \/token=\(\\w\+\)\/[\s\S]*Hello Ada, ⏎ your code is 123456[\s\S]*MAIL_CODE_NOT_FOUND/,
  )
})
