/** The tables. */
export * from './schema/identity.ts'
export * from './schema/record.ts'
export * from './schema/service.ts'
export * from './schema/visibility.ts'
