/**
 * The pages of the management API as an operator uses them, in a real browser: they work, ask nobody but their gateway,
 * and nothing is said on the console.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import { Chromium, type Page } from '../support/chromium.ts'
import { API_KEY, eventually } from '../support/gateway.ts'

let yard: Yard
let browser: Chromium
const opened: Page[] = []
beforeAll(async () => {
  yard = await openYard()
  browser = await Chromium.start()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((page) => page.close()))
})
afterAll(async () => {
  await browser?.close()
  await yard?.close()
})

async function open(path: string): Promise<Page> {
  const page = await browser.open(`${yard.gateway.url}${path}`)
  opened.push(page)
  return page
}

/** Nothing went elsewhere, and nothing went wrong. */
async function expectQuiet(page: Page): Promise<void> {
  await page.quiet()
  expect(page.requests.length).toBeGreaterThan(3)
  expect(page.requests.filter((url) => !url.startsWith(`${yard.gateway.url}/`))).toEqual([])
  expect(page.complaints).toEqual([])
}

const LIST = '#operations-Servers-listServers'
const CALL = '#operations-Tools-callTool'

/** What an operation was answered that is open in Swagger UI and has its arguments. */
async function execute(page: Page, operation: string): Promise<{ status: string; text: string }> {
  await page.click(`${operation} .btn.execute`)
  const said = (column: string): Promise<string> =>
    page.see(
      `document.querySelector('${operation} .live-responses-table .response .response-col_${column}')?.innerText`,
    )
  return { status: await said('status'), text: await said('description') }
}

describe('/docs', () => {
  it('lists the operations of the API under its title', async () => {
    const page = await open('/docs')
    await page.see(`document.querySelector('.info .title')?.innerText.startsWith('Switchyard')`)
    const paths: string[] = await page.evaluate(
      `[...document.querySelectorAll('.opblock-summary-path, .opblock-summary-path__deprecated')].map((each) => each.dataset.path)`,
    )
    const { body } = await yard.gateway.fetch('/openapi.json')
    expect(new Set(paths)).toEqual(new Set(Object.keys(body.paths)))
    await expectQuiet(page)
  })

  it('calls operations with the key that was typed in, and keeps the key nowhere', async () => {
    const page = await open('/docs')
    await page.click('.btn.authorize')
    await page.type('.auth-container input[type=text]', API_KEY)
    await page.click('.auth-container .btn.authorize')
    await page.click('.auth-btn-wrapper .btn-done')
    for (const operation of [LIST, CALL]) {
      await page.click(`${operation} .opblock-summary-control`)
      await page.click(`${operation} .try-out__btn`)
    }
    const listed = await execute(page, LIST)
    expect(listed.status).toContain('200')
    expect(listed.text).toContain('"fixture"')
    await page.type(`${CALL} .body-param__text`, '{ "name": "echo", "arguments": { "text": "typed in" } }')
    const called = await execute(page, CALL)
    expect(called.text).toContain('"text": "typed in"')
    expect(called.status).toContain('200')
    expect(
      await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'),
    ).toBe('[{},{},""]')
    await expectQuiet(page)
  })

  it('opens at the operation that its address names', async () => {
    const page = await open('/docs#/Servers/listServers')
    await page.see(`document.querySelector('${LIST}.is-open .opblock-body') !== null`)
    await expectQuiet(page)
  })
})

describe('/redoc', () => {
  it('shows the operations of the API under its title', async () => {
    const page = await open('/redoc')
    await page.see(`document.querySelector('h1')?.innerText.startsWith('Switchyard')`)
    const { body } = await yard.gateway.fetch('/openapi.json')
    const summaries = Object.values<any>(body.paths).flatMap((path) => Object.values<any>(path))
    const text: string = await page.evaluate('document.body.innerText')
    expect(summaries.filter(({ summary }) => !text.includes(summary))).toEqual([])
    await expectQuiet(page)
  })

  it('finds an operation by a word', async () => {
    const page = await open('/redoc')
    await page.type('[role=search] input', 'List services')
    await page.see(
      `document.querySelector('[role=search] [role=menuitem]')?.innerText.includes('List services')`,
    )
    await expectQuiet(page)
  })
})

/** Were a stranger's text ever to become part of a page: what it could do there, one by one. */
const STRANGE: Readonly<Record<string, string>> = {
  'a script in the page': `document.body.append(Object.assign(document.createElement('script'), { text: 'document.title = "strange"' }))`,
  'a script from elsewhere': `document.body.append(Object.assign(document.createElement('script'), { src: 'https://evil.example/a.js' }))`,
  'a handler in an attribute': `document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = 1">')`,
  'a picture from elsewhere': `document.body.append(Object.assign(new Image(), { src: 'https://evil.example/a.png' }))`,
  'a style in the page': `document.head.append(Object.assign(document.createElement('style'), { textContent: 'a{}' }))`,
  'a style in an attribute': `document.body.insertAdjacentHTML('beforeend', '<p style="color: red">')`,
  'a request to elsewhere': `void fetch('https://evil.example/').catch(() => 0)`,
  'a text as a program': `try { new Function('')() } catch {}`,
  'a frame': `document.body.append(Object.assign(document.createElement('iframe'), { src: '/health' }))`,
  'a form': `document.body.insertAdjacentHTML('beforeend', '<form action="/health"></form>'); document.forms[document.forms.length - 1].submit()`,
}

describe.each(['/docs', '/redoc'])('S34 the policy of %s', (path) => {
  let page: Page
  beforeAll(async () => {
    page = await browser.open(`${yard.gateway.url}${path}`)
    await page.see(`document.body.innerText.includes('Switchyard')`)
    await expectQuiet(page)
  })
  afterAll(() => page.close())

  it.each(Object.entries(STRANGE))('forbids %s', async (_, script) => {
    const before = page.complaints.length
    await page.evaluate(script)
    await eventually(5_000, () => expect(page.complaints.slice(before).join('\n')).toContain('policy: '))
    expect(page.requests.filter((url) => url.includes('evil.example'))).toEqual([])
    expect(await page.evaluate('document.title')).toBe('Switchyard API')
  })
})
