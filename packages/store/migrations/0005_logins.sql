CREATE TABLE "oauth_flows" (
	"id" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"method" text NOT NULL,
	"state" text NOT NULL,
	"message" text,
	"begun" text,
	"renews_id" text,
	"credential_id" text,
	"credential_name" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "saved_authentications" ADD COLUMN "detail" text;--> statement-breakpoint
ALTER TABLE "saved_authentications" ADD COLUMN "account" text;--> statement-breakpoint
ALTER TABLE "saved_authentications" ADD COLUMN "refreshing_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "saved_authentications" ADD COLUMN "refresh_sent_version" integer;