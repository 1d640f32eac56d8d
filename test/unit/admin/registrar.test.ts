import { expect, it } from 'vitest'
import { Registrar } from '../../../src/admin/registrar.ts'
import { Ledger } from '../../../src/admin/ledger.ts'
import { ok } from '../../../src/platform/result.ts'
import type { ServiceRecord } from '../../../src/registry/image.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import type { ServiceWrite } from '../../../src/storage/services.ts'
import { catalogueOf, imageOf, serviceOf } from '../../support/image.ts'

const service = serviceOf('bank', ['pay'], { catalogue: catalogueOf([{ name: 'pay' }]) })

/** A registrar before an upstream that has other tools by now. */
function startRegistrar() {
  const written: ServiceWrite[] = []
  const refreshed: ServiceWrite[] = []
  const snapshot = new Snapshot(imageOf(1, [service]))
  const registrar = new Registrar({
    ledger: new Ledger({ reload: async () => ok(snapshot), committed: async () => ok(snapshot) } as never),
    store: {
      update: async (_: ServiceRecord, write: ServiceWrite) => ok(written.push(write)),
      refresh: async (_: ServiceRecord, write: ServiceWrite) => ok(refreshed.push(write)),
    } as never,
    credentials: { open: async () => ({ type: 'none' }), seal: async () => undefined } as never,
    discover: async () => ok({ catalogue: catalogueOf([{ name: 'pay', title: 'Pay' }]), transport: 'http' }),
    forgive: async () => undefined,
    credential: () => ({ type: 'none' }),
    renewCredential: async (_, refused) => refused,
    defaultTtlSeconds: 300,
    policy: { allowPrivate: false, ownHosts: [] },
    hosts: { examine: async () => 'public' },
    clock: () => 0,
  })
  return { registrar, written, refreshed }
}

it('S35 what the gateway does unasked never undoes that an operator began to pin meanwhile', async () => {
  const { registrar, written, refreshed } = startRegistrar()
  await registrar.refresh(service, () => undefined)
  await registrar.recover(service, () => undefined)
  expect([refreshed.length, written.length]).toEqual([2, 0])
  await registrar.change('bank', { pinDefinitions: true }, 'operator', () => undefined)
  expect(written[0]?.fields.config).toEqual({ pinDefinitions: true })
  expect(written[0]?.approvals.map(({ tool }) => tool)).toEqual(['pay'])
})
