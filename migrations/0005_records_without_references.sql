ALTER TABLE "audit_log" DROP CONSTRAINT "audit_log_organisation_id_organisations_id_fk";
--> statement-breakpoint
ALTER TABLE "tool_usage" DROP CONSTRAINT "tool_usage_organisation_id_organisations_id_fk";
