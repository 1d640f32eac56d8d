/**
 * A headless Chromium, driven over the Chrome DevTools Protocol: pages that can be looked at and used, and that keep
 * what they asked of the network and what they complained about. Knows nothing of what is shown.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '../../local/child.ts'
import { eventually } from './gateway.ts'

const COMMAND = process.env['CHROMIUM'] ?? 'chromium'
const READY_WITHIN_MS = 30_000
const SEEN_WITHIN_MS = 10_000

const FLAGS = [
  '--headless',
  // It runs as root in containers, and what it is shown is ours.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--window-size=1400,900',
  '--remote-debugging-port=0',
  // A request to anywhere else fails on every machine, whatever it may reach.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

type Event = { readonly method: string; readonly params: any; readonly sessionId?: string }

export class Chromium {
  readonly #socket: WebSocket
  readonly #end: () => Promise<void>
  readonly #waiting = new Map<number, (reply: any) => void>()
  readonly #listeners = new Set<(event: Event) => void>()
  #lastId = 0

  private constructor(socket: WebSocket, end: () => Promise<void>) {
    this.#socket = socket
    this.#end = end
    socket.addEventListener('message', ({ data }) => {
      const said = JSON.parse(String(data))
      if (said.id === undefined) return this.#listeners.forEach((hear) => hear(said))
      this.#waiting.get(said.id)?.(said)
      this.#waiting.delete(said.id)
    })
  }

  static async start(): Promise<Chromium> {
    const directory = await mkdtemp(join(tmpdir(), 'switchyard-chromium-'))
    const child = startChild({ command: COMMAND, args: [...FLAGS, `--user-data-dir=${directory}`] })
    const end = async (): Promise<void> => {
      await child.close()
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
    try {
      let address = ''
      await eventually(READY_WITHIN_MS, () => {
        address = /DevTools listening on (\S+)/.exec(child.lastWords())?.[1] ?? ''
        if (address === '') throw new Error(`${COMMAND} does not listen. ${child.lastWords()}`)
      })
      const socket = new WebSocket(address)
      await once(socket, 'open', { signal: AbortSignal.timeout(READY_WITHIN_MS) })
      return new Chromium(socket, end)
    } catch (error) {
      await end()
      throw error
    }
  }

  async open(url: string): Promise<Page> {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, targetId, sessionId)
    await page.show(url)
    return page
  }

  /** Rejects with what is wrong with the command. */
  async ask(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#lastId
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    const { result, error } = await new Promise<any>((resolve) => this.#waiting.set(id, resolve))
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** Gives what ends it. */
  hear(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#socket.close()
    await this.#end()
  }
}

export class Page {
  #requests: readonly { readonly id: string; readonly url: string }[] = []
  /** Errors on the console, exceptions that nobody caught, violations of its policy. */
  readonly complaints: string[] = []
  readonly #browser: Chromium
  readonly #targetId: string
  readonly #sessionId: string
  /** That of the page, and those of its workers and frames. */
  readonly #sessions = new Set<string>()
  readonly #unhear: () => void

  constructor(browser: Chromium, targetId: string, sessionId: string) {
    this.#browser = browser
    this.#targetId = targetId
    this.#sessionId = sessionId
    this.#unhear = browser.hear((event) => {
      if (this.#sessions.has(event.sessionId ?? '')) this.#note(event)
    })
  }

  /** Addresses that the page and its workers asked the network for; what its policy stopped was not asked. */
  get requests(): readonly string[] {
    return this.#requests.map(({ url }) => url).filter((url) => !/^(data|blob):/.test(url))
  }

  async show(url: string): Promise<void> {
    await this.#follow(this.#sessionId)
    await this.#ask('Audits.enable')
    await this.#ask('Page.navigate', { url })
  }

  /** What an expression is in the page; it may be a promise. */
  async evaluate(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.#ask('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      allowUnsafeEvalBlockedByCSP: false,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  /** Waits until an expression gives what holds, and gives it. */
  async see(expression: string): Promise<any> {
    let seen: unknown
    await eventually(SEEN_WITHIN_MS, async () => {
      seen = await this.evaluate(expression)
      if (!seen) throw new Error(`Not seen: ${expression}\n${this.complaints.join('\n')}`)
    })
    return seen
  }

  /** Clicks what a selector finds, as soon as it is there. */
  async click(selector: string): Promise<void> {
    await this.#find(selector, 'click')
  }

  /** Types into what a selector finds, as a keyboard does, in place of what stands there. */
  async type(selector: string, text: string): Promise<void> {
    await this.#find(selector, 'select')
    await this.#ask('Input.insertText', { text })
  }

  /** Waits until nothing more is asked or complained about for a while. */
  async quiet(): Promise<void> {
    let before = -1
    await eventually(SEEN_WITHIN_MS, async () => {
      const now = this.#requests.length + this.complaints.length
      const isQuiet = now === before
      before = now
      await new Promise((resolve) => setTimeout(resolve, 250))
      if (!isQuiet) throw new Error(`The page still works.\n${this.complaints.join('\n')}`)
    })
  }

  async close(): Promise<void> {
    this.#unhear()
    await this.#browser.ask('Target.closeTarget', { targetId: this.#targetId })
  }

  async #find(selector: string, act: 'click' | 'select'): Promise<void> {
    const found = `document.querySelector(${JSON.stringify(selector)})`
    await this.see(`${found} !== null && (${found}.${act}(), true)`)
  }

  /** Whatever begins on its behalf is held until it is followed as well. */
  async #follow(sessionId: string): Promise<void> {
    this.#sessions.add(sessionId)
    for (const domain of ['Network', 'Runtime', 'Log'])
      await this.#browser.ask(`${domain}.enable`, {}, sessionId)
    const every = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }
    await this.#browser.ask('Target.setAutoAttach', every, sessionId)
    await this.#browser.ask('Runtime.runIfWaitingForDebugger', {}, sessionId)
  }

  #note({ method, params }: Event): void {
    // What is gone again already cannot be followed.
    if (method === 'Target.attachedToTarget') this.#follow(params.sessionId).catch(() => undefined)
    if (method === 'Network.requestWillBeSent') this.#noteRequest(params.requestId, params.request.url)
    if (method === 'Network.webSocketCreated') this.#noteRequest(params.requestId, params.url)
    if (method === 'Network.loadingFailed' && params.blockedReason === 'csp')
      this.#requests = this.#requests.filter(({ id }) => id !== params.requestId)
    const complaint = readComplaint(method, params)
    if (complaint !== undefined) this.complaints.push(complaint)
  }

  #noteRequest(id: string, url: string): void {
    this.#requests = [...this.#requests, { id, url }]
  }

  #ask(method: string, params: object = {}): Promise<any> {
    return this.#browser.ask(method, params, this.#sessionId)
  }
}

function readComplaint(method: string, params: any): string | undefined {
  switch (method) {
    case 'Log.entryAdded':
      return params.entry.level === 'error' ? `${params.entry.source}: ${params.entry.text}` : undefined
    case 'Runtime.consoleAPICalled':
      return ['error', 'assert'].includes(params.type) ? `console: ${JSON.stringify(params.args)}` : undefined
    case 'Runtime.exceptionThrown':
      return `exception: ${JSON.stringify(params.exceptionDetails)}`
    case 'Audits.issueAdded':
      return params.issue.code === 'ContentSecurityPolicyIssue'
        ? `policy: ${JSON.stringify(params.issue.details.contentSecurityPolicyIssueDetails)}`
        : undefined
    default:
      return undefined
  }
}
