ALTER TABLE "service_tools" ADD COLUMN "legacy_version" text;--> statement-breakpoint
ALTER TABLE "service_tools" ADD COLUMN "legacy_capabilities" json;