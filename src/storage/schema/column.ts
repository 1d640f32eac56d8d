/** Columns that many tables have. */
import { customType, timestamp } from 'drizzle-orm/pg-core'

/** A `json` column handled as its raw text. Read it with `::text`, or the driver parses it. */
export const rawJson = customType<{ data: string; driverData: string }>({ dataType: () => 'json' })

export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
export const createdAt = () => instant('created_at').notNull().defaultNow()
export const updatedAt = () => instant('updated_at').notNull().defaultNow()
