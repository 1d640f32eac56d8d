ALTER TABLE "services" ADD COLUMN "cache_epoch" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_settings" ADD COLUMN "cache_scope" text;--> statement-breakpoint
ALTER TABLE "tool_settings" ADD COLUMN "cache_epoch" bigint DEFAULT 0 NOT NULL;