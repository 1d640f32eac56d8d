/** What is remembered of where names lead, and when it is looked at again. */
import { describe, expect, it } from 'vitest'
import { err, ok } from '../../../src/platform/result.ts'
import { HOSTS, Hosts } from '../../../src/upstream/hosts.ts'

const HOST = 'mcp.example'
const URL_THERE = `https://${HOST}/mcp`

function open() {
  const world = { now: 1_000_000, asked: 0, leadsTo: ['1.1.1.1'] as readonly string[] | undefined }
  const resolve = async () => {
    world.asked++
    return world.leadsTo ? ok(world.leadsTo) : err('away' as const)
  }
  const hosts = new Hosts(resolve, () => world.now)
  const behind: Promise<unknown>[] = []
  /** True: the call waited. */
  const call = async (): Promise<boolean> => {
    const wait = hosts.review([HOST], (work) => void behind.push(work))
    await wait
    return wait !== undefined
  }
  const settle = () => Promise.all(behind)
  return { world, hosts, call, settle }
}

describe('S08 a call', () => {
  it('waits for the first look of an isolate, and not for one after it', async () => {
    const { world, call } = open()
    expect([await call(), await call(), await call()]).toEqual([true, false, false])
    expect(world.asked).toBe(1)
  })

  it('is refused after a host that was public leads into private space, once that was looked at', async () => {
    const { world, hosts, call, settle } = open()
    await call()
    const before = hosts.generation
    world.leadsTo = ['1.1.1.1', '10.0.0.1']
    world.now += HOSTS.lookAgainMs - 1
    expect([await call(), world.asked]).toEqual([false, 1])
    world.now += 1
    expect(await call()).toBe(false)
    await settle()
    expect([world.asked, hosts.mayCall(URL_THERE)]).toEqual([2, false])
    expect(hosts.generation).not.toBe(before)
  })

  it('waits again where nobody has looked for long', async () => {
    const { world, hosts, call } = open()
    await call()
    world.leadsTo = ['127.0.0.1']
    world.now += HOSTS.waitAgainMs
    expect([await call(), hosts.mayCall(URL_THERE)]).toEqual([true, false])
  })

  it('passes again when the name leads to the public again', async () => {
    const { world, hosts, call, settle } = open()
    world.leadsTo = ['::1']
    await call()
    expect(hosts.mayCall(URL_THERE)).toBe(false)
    world.leadsTo = ['2606:4700::1111']
    world.now += HOSTS.lookAgainMs
    await call()
    await settle()
    expect(hosts.mayCall(URL_THERE)).toBe(true)
  })

  it('goes by the last verdict while the resolver is away, which is asked again soon and not waited for', async () => {
    const { world, hosts, call, settle } = open()
    world.leadsTo = ['10.0.0.1']
    await call()
    world.leadsTo = undefined
    world.now += HOSTS.lookAgainMs
    await call()
    await settle()
    expect(hosts.mayCall(URL_THERE)).toBe(false)
    world.now += HOSTS.awayMs
    expect([await call(), world.asked]).toEqual([false, 3])
  })

  it('passes without any verdict while the resolver is away, and waits once', async () => {
    const { world, hosts, call } = open()
    world.leadsTo = undefined
    expect([await call(), hosts.mayCall(URL_THERE)]).toEqual([true, true])
    world.now += HOSTS.awayMs
    expect([await call(), await call()]).toEqual([false, false])
  })

  it('looks once for all that come at the same time with a verdict that is old', async () => {
    const { world, call, settle } = open()
    await call()
    world.now += HOSTS.lookAgainMs
    expect(await Promise.all([call(), call(), call()])).toEqual([false, false, false])
    await settle()
    expect(world.asked).toBe(2)
  })
})

describe('S09 who stores an address', () => {
  it.each([
    [['1.1.1.1', '2606:4700::1111'], 'public'],
    [['1.1.1.1', 'fd00::1'], 'private'],
    [['127.0.0.1'], 'private'],
    [['not-an-address'], 'private'],
    [[], 'public'],
    [undefined, 'unknown'],
  ])('finds a name that leads to %j %s', async (leadsTo, finding) => {
    const { world, hosts } = open()
    world.leadsTo = leadsTo
    expect(await hosts.examine(URL_THERE)).toBe(finding)
  })

  it('looks each time', async () => {
    const { world, hosts } = open()
    await hosts.examine(URL_THERE)
    world.leadsTo = ['127.0.0.1']
    expect([await hosts.examine(URL_THERE), world.asked]).toEqual(['private', 2])
  })
})

it('without a resolver nothing is asked, and every name counts as public', async () => {
  const hosts = new Hosts(undefined, () => 0)
  expect(hosts.review([HOST], () => expect.fail('nothing to do'))).toBeUndefined()
  expect([await hosts.examine(URL_THERE), hosts.mayCall(URL_THERE)]).toEqual(['public', true])
})
