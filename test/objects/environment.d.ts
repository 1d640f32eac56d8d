/** What the tests inside the runtime find there. */
declare namespace Cloudflare {
  interface Env {
    readonly PARKED_CALL: DurableObjectNamespace<import('../../src/durable/parked-call.ts').ParkedCallObject>
    readonly CLIENT_SESSION: DurableObjectNamespace<
      import('../../src/durable/client-session.ts').ClientSessionObject
    >
    readonly SESSION_REGISTER: DurableObjectNamespace<
      import('../../src/durable/session-register.ts').SessionRegisterObject
    >
    readonly SERVICE_GUARD: DurableObjectNamespace<
      import('../../src/durable/service-guard.ts').ServiceGuardObject
    >
  }
  interface GlobalProps {
    mainModule: typeof import('../../src/index.ts')
  }
}
