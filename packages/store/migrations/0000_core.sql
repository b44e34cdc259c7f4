CREATE TABLE "audit_events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"before" json,
	"after" json,
	"outcome" text NOT NULL,
	"detail" text
);
--> statement-breakpoint
CREATE TABLE "blobs" (
	"sha256" "bytea" PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"media_type" text,
	"compressed" boolean NOT NULL,
	"bytes" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "browser_sessions" (
	"hash" text PRIMARY KEY NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"dies_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"id" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"parent_id" text,
	"fork_position" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deleted_sessions" (
	"no" bigserial PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"agent_name" text NOT NULL,
	"request_tokens" bigint DEFAULT 0 NOT NULL,
	"response_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_read_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_tokens" bigint DEFAULT 0 NOT NULL,
	"reasoning_tokens" bigint DEFAULT 0 NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"unpriced_calls" bigint DEFAULT 0 NOT NULL,
	"estimated_calls" bigint DEFAULT 0 NOT NULL,
	"cost_usd" numeric DEFAULT '0' NOT NULL,
	"session_created_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "item_chunks" (
	"session_id" text NOT NULL,
	"item_id" text NOT NULL,
	"field" text NOT NULL,
	"off" bigint NOT NULL,
	"text" "bytea" NOT NULL,
	CONSTRAINT "item_chunks_session_id_item_id_field_off_pk" PRIMARY KEY("session_id","item_id","field","off")
);
--> statement-breakpoint
CREATE TABLE "items" (
	"session_id" text NOT NULL,
	"id" text NOT NULL,
	"conversation_id" text NOT NULL,
	"turn_id" text,
	"position" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"title" text,
	"data" json NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "items_session_id_id_pk" PRIMARY KEY("session_id","id")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"conversation_id" text NOT NULL,
	"turn_id" text,
	"ordinal" bigint NOT NULL,
	"role" text NOT NULL,
	"content" json NOT NULL,
	"native" json,
	"in_history" boolean DEFAULT true NOT NULL,
	"provider" text,
	"model" text,
	"request_tokens" bigint,
	"response_tokens" bigint,
	"cache_read_tokens" bigint,
	"cache_write_tokens" bigint,
	"cache_write_1h_tokens" bigint,
	"reasoning_tokens" bigint,
	"estimated" boolean,
	"total_cost_usd" numeric,
	"price_revision" text,
	"latency_ms" integer,
	"first_token_ms" integer,
	"stop_reason" text,
	"error" text,
	"raw_head" json,
	"raw_base" text,
	"raw_request" "bytea",
	"raw_response" "bytea",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"data" json NOT NULL,
	"unique_key" text,
	"start_after" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "saved_authentications" (
	"id" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"name" text NOT NULL,
	"auth_type" text NOT NULL,
	"credentials" text NOT NULL,
	"last4" text NOT NULL,
	"profile" text,
	"expires_at" timestamp (3) with time zone,
	"is_default" boolean DEFAULT false NOT NULL,
	"is_enabled" boolean DEFAULT true NOT NULL,
	"state" text DEFAULT 'unchecked' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "session_queue" (
	"session_id" text NOT NULL,
	"id" text NOT NULL,
	"text" text NOT NULL,
	"attachments" json NOT NULL,
	"deliver" text NOT NULL,
	"order" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "session_queue_session_id_id_pk" PRIMARY KEY("session_id","id")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"session_id" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"kind" text DEFAULT 'chat' NOT NULL,
	"agent_name" text NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"auth_type" text NOT NULL,
	"base_url" text,
	"effort" text,
	"working_directory" text NOT NULL,
	"system_prompt" text NOT NULL,
	"access_mode" text NOT NULL,
	"tools" json NOT NULL,
	"status" text DEFAULT 'idle' NOT NULL,
	"waiting_for" text,
	"conversation_id" text NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL,
	"session_seq" bigint DEFAULT 0 NOT NULL,
	"queue_seq" bigint DEFAULT 0 NOT NULL,
	"last_position" bigint DEFAULT 0 NOT NULL,
	"last_ordinal" bigint DEFAULT 0 NOT NULL,
	"request_tokens" bigint DEFAULT 0 NOT NULL,
	"response_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_read_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_tokens" bigint DEFAULT 0 NOT NULL,
	"reasoning_tokens" bigint DEFAULT 0 NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"unpriced_calls" bigint DEFAULT 0 NOT NULL,
	"estimated_calls" bigint DEFAULT 0 NOT NULL,
	"cost_usd" numeric DEFAULT '0' NOT NULL,
	"context_tokens" bigint DEFAULT 0 NOT NULL,
	"preview" text DEFAULT '' NOT NULL,
	"lease_owner" text,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"archived_at" timestamp (3) with time zone,
	"last_activity_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" json NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tools" (
	"name" text PRIMARY KEY NOT NULL,
	"description" text NOT NULL,
	"parameters" json NOT NULL,
	"is_enabled" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "turns" (
	"id" text PRIMARY KEY NOT NULL,
	"no" bigserial NOT NULL,
	"session_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"status" text NOT NULL,
	"cause" text,
	"reason" text,
	"steps" integer NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_parent" FOREIGN KEY ("parent_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "item_chunks" ADD CONSTRAINT "item_chunks_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "items" ADD CONSTRAINT "items_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session_queue" ADD CONSTRAINT "session_queue_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "turns" ADD CONSTRAINT "turns_session_id_sessions_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("session_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_events_at" ON "audit_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "conversations_session" ON "conversations" USING btree ("session_id");--> statement-breakpoint
CREATE UNIQUE INDEX "items_position" ON "items" USING btree ("session_id","position");--> statement-breakpoint
CREATE UNIQUE INDEX "items_seq" ON "items" USING btree ("session_id","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "messages_ordinal" ON "messages" USING btree ("session_id","ordinal");--> statement-breakpoint
CREATE INDEX "messages_session_created" ON "messages" USING btree ("session_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "messages_conversation" ON "messages" USING btree ("conversation_id");--> statement-breakpoint
CREATE INDEX "messages_tokens_cost" ON "messages" USING btree ("created_at","total_cost_usd",(request_tokens + response_tokens));--> statement-breakpoint
CREATE UNIQUE INDEX "saved_authentications_name" ON "saved_authentications" USING btree ("provider","name");--> statement-breakpoint
CREATE UNIQUE INDEX "saved_authentications_default" ON "saved_authentications" USING btree ("provider","auth_type") WHERE is_default;--> statement-breakpoint
CREATE INDEX "saved_authentications_provider_type" ON "saved_authentications" USING btree ("provider","auth_type") WHERE is_enabled;--> statement-breakpoint
CREATE INDEX "sessions_activity" ON "sessions" USING btree ("last_activity_at" DESC NULLS LAST,"session_id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "sessions_open" ON "sessions" USING btree ("session_id") WHERE status in ('running', 'waiting');--> statement-breakpoint
CREATE INDEX "turns_session" ON "turns" USING btree ("session_id","no" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "turns_open" ON "turns" USING btree ("session_id") WHERE status in ('running', 'waiting');