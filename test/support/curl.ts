/** Replays a documented `curl` command: the command as it is printed, with hosts and ports of the test. */
import type { Answer } from './gateway.ts'

/** Understands `-X`, `-H`, `-d`, `-s` and line continuations; anything else in a command is an error. */
export async function curl(command: string, hosts: Readonly<Record<string, string>>): Promise<Answer> {
  let replaced = command
  for (const [documented, actual] of Object.entries(hosts)) replaced = replaced.replaceAll(documented, actual)
  const [program, ...words] = split(replaced)
  if (program !== 'curl') throw new Error(`not a curl command: ${command}`)
  const headers = new Headers()
  let url = ''
  let method: string | undefined
  let body: string | undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '-s') continue
    else if (word === '-X') method = words[++at] ?? ''
    else if (word === '-d') body = words[++at] ?? ''
    else if (word === '-H') {
      const [name = '', ...value] = (words[++at] ?? '').split(':')
      headers.set(name, value.join(':').trim())
    } else if (word.startsWith('-')) throw new Error(`unknown option ${word}`)
    else url = word
  }
  // What curl sends where the command says nothing.
  if (!headers.has('accept')) headers.set('accept', '*/*')
  if (body !== undefined && !headers.has('content-type'))
    headers.set('content-type', 'application/x-www-form-urlencoded')
  const init = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers }
  const response = await fetch(url, body === undefined ? init : { ...init, body })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

function split(command: string): string[] {
  const words = command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)
  return [...words].map(([, single, double, bare]) => single ?? double ?? bare ?? '')
}
