INSERT INTO "organisations" ("id", "name") VALUES ('default', 'Default');
--> statement-breakpoint
INSERT INTO "registry_versions" ("organisation_id", "version") VALUES ('default', 0);
