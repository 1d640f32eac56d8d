/** What the reference server offers besides tools, for a client of its own and for one behind the gateway. */
import { type CallToolResult, CallToolResultSchema, ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/gateway.ts'
import { type Both, normalise, SERVICE, startBoth } from './both.ts'
import { LegacyCaller } from './legacy.ts'

let both: Both
let direct: LegacyCaller
let service: LegacyCaller
let all: LegacyCaller

beforeAll(async () => {
  both = await startBoth()
  direct = await new LegacyCaller(both.direct).connect()
  service = await new LegacyCaller(both.service).connect()
  all = await new LegacyCaller(both.all).connect()
})
afterAll(async () => {
  await both.close()
})

type Drive = (caller: LegacyCaller) => Promise<unknown>

/** What it gave directly, which is what it gave at both endpoints of the gateway. */
async function compare(drive: Drive): Promise<any> {
  const [own, ...through] = await Promise.all([direct, service, all].map(drive))
  for (const given of through) expect(normalise(given)).toEqual(normalise(own))
  return own
}

/** What was refused, as its client sees it. */
const refusal = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => 'not refused',
    ({ code, message }) => ({ code, message }),
  )

describe('initialize', () => {
  it('tells the capabilities and instructions of the server, and who answers', async () => {
    const capabilities = await compare(async ({ client }) => client.getServerCapabilities())
    expect(Object.keys(capabilities).toSorted()).toEqual([
      'completions',
      'logging',
      'prompts',
      'resources',
      'tasks',
      'tools',
    ])
    const instructions = direct.client.getInstructions() ?? ''
    expect(instructions).toContain('Everything Server')
    expect(service.client.getInstructions()).toBe(instructions)
    expect(all.client.getInstructions()).toContain(instructions.trim())
    expect(direct.client.getServerVersion()?.name).toBe('mcp-servers/everything')
    expect(service.client.getServerVersion()?.name).toBe('switchyard')
  })

  it('is followed by ping', async () => {
    expect(await compare(({ client }) => client.ping())).toEqual({})
  })
})

describe('prompts', () => {
  it('are listed', async () => {
    const { prompts } = await compare(({ client }) => client.listPrompts())
    expect(prompts.map(({ name }: { name: string }) => name)).toEqual([
      'simple-prompt',
      'args-prompt',
      'completable-prompt',
      'resource-prompt',
    ])
  })

  it.each([
    ['simple-prompt', {}],
    ['args-prompt', { city: 'Kyjov' }],
    ['args-prompt', { city: 'Kyjov', state: 'Moravia' }],
    ['completable-prompt', { department: 'Sales', name: 'Eve' }],
    ['resource-prompt', { resourceType: 'Text', resourceId: '2' }],
    ['resource-prompt', { resourceType: 'Blob', resourceId: '2' }],
  ])('%s is got with %j', async (name, given) => {
    const { messages } = await compare(({ client }) => client.getPrompt({ name, arguments: given }))
    expect(messages.length).toBeGreaterThan(0)
  })

  it('refuse missing arguments', async () => {
    const refused = await compare(({ client }) => refusal(client.getPrompt({ name: 'args-prompt' })))
    expect(refused.code).toBe(-32602)
  })
})

describe('completion', () => {
  const prompt = (name: string) => ({ type: 'ref/prompt', name }) as const
  const template = { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' } as const
  it.each([
    [prompt('completable-prompt'), { name: 'department', value: 'S' }, undefined, ['Sales', 'Support']],
    [
      prompt('completable-prompt'),
      { name: 'name', value: '' },
      { department: 'Sales' },
      ['David', 'Eve', 'Frank'],
    ],
    [prompt('resource-prompt'), { name: 'resourceType', value: 'T' }, undefined, ['Text']],
    [prompt('resource-prompt'), { name: 'resourceId', value: '7' }, undefined, ['7']],
    [template, { name: 'resourceId', value: '7' }, undefined, ['7']],
    [template, { name: 'resourceId', value: 'x' }, undefined, []],
  ] as const)('of %j for %j, knowing %j', async (ref, argument, given, values) => {
    const context = given === undefined ? {} : { context: { arguments: given } }
    const { completion } = await compare(({ client }) => client.complete({ ref, argument, ...context }))
    expect(completion.values).toEqual(values)
  })
})

describe('resources', () => {
  it('are listed, and each can be read', async () => {
    const { resources } = await compare(({ client }) => client.listResources())
    expect(resources.length).toBeGreaterThan(3)
    for (const { uri } of resources) {
      const { contents } = await compare(({ client }) => client.readResource({ uri }))
      expect(contents[0].text.length).toBeGreaterThan(10)
    }
  })

  it('are made from templates', async () => {
    const { resourceTemplates } = await compare(({ client }) => client.listResourceTemplates())
    expect(resourceTemplates).toHaveLength(2)
    for (const kind of ['text', 'blob']) {
      const uri = `demo://resource/dynamic/${kind}/42`
      const { contents } = await compare(({ client }) => client.readResource({ uri }))
      expect(JSON.stringify(normalise(contents))).toContain('Resource 42')
    }
  })

  it.each(['demo://resource/dynamic/text/nope', 'demo://nowhere', 'file:///etc/passwd'])(
    'refuse %s',
    async (uri) => {
      const refused = await compare(({ client }) => refusal(client.readResource({ uri })))
      expect(refused.code).toBeLessThan(-32000)
    },
  )

  it('that a tool makes in a session are read in it', async () => {
    const read = await compare(async ({ client }) => {
      const name = crypto.randomUUID()
      const given = { name, data: 'data:text/plain,abc', outputType: 'resourceLink' }
      const { content } = (await client.callTool({
        name: 'gzip-file-as-resource',
        arguments: given,
      })) as CallToolResult
      const [link] = content
      const uri = link?.type === 'resource_link' ? link.uri : ''
      return { content, read: await client.readResource({ uri }) }
    })
    expect(read.read.contents[0].mimeType).toBe('application/gzip')
  })

  it('that a tool makes in a session are listed there by the server alone', async () => {
    const name = crypto.randomUUID()
    const given = { name, data: 'data:text/plain,abc', outputType: 'resourceLink' }
    const isListed = async ({ client }: LegacyCaller): Promise<boolean> => {
      await client.callTool({ name: 'gzip-file-as-resource', arguments: given })
      return (await client.listResources()).resources.some((resource) => resource.name === name)
    }
    // The gateway lists from its registry what every client can have, and asks nobody for it.
    expect([await isListed(direct), await isListed(service), await isListed(all)]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('subscriptions', () => {
  it('bring updates until they end', async () => {
    const uri = 'demo://resource/dynamic/text/1'
    const toggle = { name: 'toggle-subscriber-updates', arguments: {} }
    const heard = await compare(async (caller) => {
      await caller.listens()
      await caller.client.subscribeResource({ uri })
      const started = await caller.client.callTool(toggle)
      const updates = await caller.hears('notifications/resources/updated')
      const stopped = await caller.client.callTool(toggle)
      const ended = await caller.client.unsubscribeResource({ uri })
      return { started, updates, stopped, ended }
    })
    expect(heard.updates).toEqual([{ uri }])
    expect(heard.stopped.content[0].text).toContain('Stopped')
  })
})

describe('logging', () => {
  it('keeps to the level that was set, in calls and outside of them', async () => {
    const toggle = { name: 'toggle-simulated-logging', arguments: {} }
    const told = await compare(async (caller) => {
      await caller.listens()
      const set = await caller.client.setLoggingLevel('debug')
      const before = caller.heard('notifications/message').length
      const started = await caller.client.callTool(toggle)
      const messages = await caller.hears('notifications/message', before + 1)
      const stopped = await caller.client.callTool(toggle)
      return { set, started, stopped, hasData: 'data' in messages.at(-1) }
    })
    expect(told.hasData).toBe(true)
    expect(all.heard('notifications/message').map(({ logger }) => logger)).toContain(SERVICE)
    const uris = ['heard', 'unheard'].map((name) => `demo://resource/dynamic/text/${name}`)
    const [heard, unheard] = uris as [string, string]
    const logged = await compare(async (caller) => {
      const logs = (uri: string) =>
        caller.heard('notifications/message').some(({ data }) => String(data).includes(uri))
      await caller.client.setLoggingLevel('emergency')
      await caller.client.subscribeResource({ uri: unheard })
      await caller.client.setLoggingLevel('info')
      await caller.client.subscribeResource({ uri: heard })
      await eventually(5_000, () => expect(logs(heard)).toBe(true))
      return logs(unheard)
    })
    expect(logged).toBe(false)
  })
})

describe('pages', () => {
  it('of short lists are one, and a cursor that nobody gave is refused', async () => {
    const { nextCursor } = await compare(({ client }) => client.listTools())
    expect(nextCursor).toBeUndefined()
    for (const { client } of [service, all]) {
      const refused = await refusal(client.listTools({ cursor: 'garbage' }))
      expect(refused).toMatchObject({ code: -32602, message: expect.stringContaining('Invalid cursor') })
    }
  })
})

describe('changes of lists', () => {
  it('are heard when the service is taken away and comes back', async () => {
    const method = 'notifications/tools/list_changed'
    for (const act of ['disconnect', 'connect']) {
      const before = all.heard(method).length
      expect((await both.gateway.manage('POST', `/api/v1/servers/${SERVICE}/${act}`)).status).toBe(200)
      expect(await all.hears(method, before + 1)).toHaveLength(before + 1)
    }
    expect((await all.client.listTools()).tools).toHaveLength(19)
  })
})

describe('cancellation', () => {
  it('of a call ends it, and the next one works', async () => {
    const told = await compare(async ({ client }) => {
      const over = new AbortController()
      const given = { duration: 30, steps: 300 }
      const called = client.callTool(
        { name: 'trigger-long-running-operation', arguments: given },
        undefined,
        { signal: over.signal, onprogress: () => over.abort('enough') },
      )
      return { refused: await refusal(called), next: await client.ping() }
    })
    expect(told.refused.message).toContain('enough')
  })
})

describe('tasks', () => {
  const RELATED = 'io.modelcontextprotocol/related-task'
  const research = (caller: LegacyCaller, given: object) =>
    caller.client.experimental.tasks.callToolStream(
      { name: 'simulate-research-query', arguments: { topic: 'python', ...given } },
      CallToolResultSchema,
      { task: { ttl: 60_000 } },
    )

  it.each([
    [{}, ['working', 'completed']],
    [{ ambiguous: true }, ['working', 'input_required']],
  ])('run to their end with %j', async (given, statuses) => {
    const seen = await compare(async (caller) => {
      const states = new Set<string>()
      let result: unknown
      let taskId: string | undefined
      for await (const message of research(caller, given)) {
        if (message.type === 'taskStatus' || message.type === 'taskCreated') states.add(message.task.status)
        if (message.type === 'taskCreated') taskId = message.task.taskId
        if (message.type === 'result') result = message.result
        if (message.type === 'error') throw message.error
      }
      const asked = caller.asked.filter(({ method }) => method === 'elicitation/create')
      const areOfTask = asked.map(({ params }) => params._meta[RELATED].taskId === taskId)
      return { states: [...states], result, areOfTask }
    })
    expect(seen.areOfTask).toEqual('ambiguous' in given ? [true] : [])
    expect(seen.states).toEqual(statuses)
    expect(JSON.stringify(seen.result)).toContain('Research Report')
  })

  it('are listed, looked at and cancelled', async () => {
    const seen = await compare(async ({ client }) => {
      const created = await client.request(
        {
          method: 'tools/call',
          params: {
            name: 'simulate-research-query',
            arguments: { topic: 'x' },
            task: { ttl: 60_000 },
          },
        },
        ResultSchema,
      )
      const { taskId } = created['task'] as { taskId: string }
      const listed = await client.experimental.tasks.listTasks()
      const cancelled = await client.experimental.tasks.cancelTask(taskId)
      const again = await refusal(client.experimental.tasks.cancelTask(taskId))
      const unknown = await refusal(client.experimental.tasks.getTask('nope'))
      return {
        isListed: listed.tasks.some((task) => task.taskId === taskId),
        status: cancelled.status,
        got: (await client.experimental.tasks.getTask(taskId)).status,
        again,
        unknown: (unknown as { code: number }).code,
      }
    })
    expect(seen).toMatchObject({ isListed: true, status: 'cancelled', got: 'cancelled', unknown: -32602 })
  })
})
