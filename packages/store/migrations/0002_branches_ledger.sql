CREATE TABLE "usage_events" (
	"no" bigserial PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"root_session_id" text NOT NULL,
	"agent_name" text NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"activity" text NOT NULL,
	"basis" text NOT NULL,
	"request_tokens" bigint DEFAULT 0 NOT NULL,
	"response_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_read_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_1h_tokens" bigint DEFAULT 0 NOT NULL,
	"reasoning_tokens" bigint DEFAULT 0 NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"unpriced_calls" bigint DEFAULT 0 NOT NULL,
	"estimated_calls" bigint DEFAULT 0 NOT NULL,
	"cost_usd" numeric,
	"price_revision" text,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "messages_conversation";--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "fork_ordinal" bigint;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "no" bigserial NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "position" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "branch_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "turns" ADD COLUMN "conversation_id" text;--> statement-breakpoint
ALTER TABLE "turns" ADD COLUMN "position" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "usage_events_at" ON "usage_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "usage_events_session" ON "usage_events" USING btree ("session_id","at");--> statement-breakpoint
CREATE INDEX "usage_events_root" ON "usage_events" USING btree ("root_session_id","at");--> statement-breakpoint
CREATE INDEX "items_branch" ON "items" USING btree ("conversation_id","position");--> statement-breakpoint
CREATE INDEX "messages_branch" ON "messages" USING btree ("conversation_id","ordinal");--> statement-breakpoint
-- Until now each session had one branch.
UPDATE "turns" t SET "conversation_id" = s."conversation_id", "position" = coalesce(
	(SELECT max(i."position") FROM "items" i WHERE i."session_id" = t."session_id" AND i."created_at" <= t."started_at"), 0)
	FROM "sessions" s WHERE s."session_id" = t."session_id";--> statement-breakpoint
ALTER TABLE "turns" ALTER COLUMN "conversation_id" SET NOT NULL;--> statement-breakpoint
-- The place of a message: the last item there was when it was written (what one change writes has one time); of a message of the user, the last message of the user.
UPDATE "messages" m SET "position" = coalesce(CASE m."role" WHEN 'user' THEN f."user_position" ELSE f."position" END, 0)
	FROM (
		SELECT "id", "is_message",
			max("position") OVER w AS "position",
			max("position") FILTER (WHERE "kind" = 'user_message') OVER w AS "user_position"
		FROM (
			SELECT "session_id", "id", "created_at", false AS "is_message", "position", "kind", 0 AS "ordinal" FROM "items"
			UNION ALL
			SELECT "session_id", "id", "created_at", true, NULL, NULL, "ordinal" FROM "messages"
		) rows
		WINDOW w AS (PARTITION BY "session_id" ORDER BY "created_at", "is_message", "ordinal" ROWS UNBOUNDED PRECEDING)
	) f WHERE f."is_message" AND f."id" = m."id";--> statement-breakpoint
-- The ledger of the past: a line for each call whose usage is known ...
INSERT INTO "usage_events" ("session_id", "root_session_id", "agent_name", "provider", "model", "activity", "basis",
	"request_tokens", "response_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens",
	"calls", "unpriced_calls", "estimated_calls", "cost_usd", "price_revision", "at")
	SELECT m."session_id", m."session_id", s."agent_name", coalesce(m."provider", 'unknown'), coalesce(m."model", 'unknown'),
		CASE WHEN m."before" = 'tool' THEN 'tool_use' ELSE 'conversation' END,
		CASE WHEN m."provider" = 'ollama' THEN 'local' WHEN s."auth_type" IN ('oauth', 'cli') THEN 'subscription'
			WHEN m."total_cost_usd" IS NULL THEN 'unknown' WHEN m."estimated" THEN 'estimate' ELSE 'billed' END,
		m."request_tokens", coalesce(m."response_tokens", 0), coalesce(m."cache_read_tokens", 0), coalesce(m."cache_write_tokens", 0),
		coalesce(m."cache_write_1h_tokens", 0), coalesce(m."reasoning_tokens", 0),
		1, CASE WHEN m."total_cost_usd" IS NULL THEN 1 ELSE 0 END, CASE WHEN m."estimated" THEN 1 ELSE 0 END,
		m."total_cost_usd", m."price_revision", m."created_at"
	FROM (SELECT *, lag("role") OVER (PARTITION BY "session_id" ORDER BY "ordinal") AS "before" FROM "messages") m
	JOIN "sessions" s ON s."session_id" = m."session_id"
	WHERE m."request_tokens" IS NOT NULL
	ORDER BY m."created_at", m."ordinal";--> statement-breakpoint
-- ... one for what the totals of a session hold beyond them ...
INSERT INTO "usage_events" ("session_id", "root_session_id", "agent_name", "provider", "model", "activity", "basis",
	"request_tokens", "response_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
	"calls", "unpriced_calls", "estimated_calls", "cost_usd", "at")
	SELECT * FROM (
		SELECT s."session_id", s."session_id" AS "root", s."agent_name", s."provider", s."model", 'conversation' AS "activity", 'unknown' AS "basis",
			s."request_tokens" - coalesce(e."request_tokens", 0) AS "request_tokens", s."response_tokens" - coalesce(e."response_tokens", 0) AS "response_tokens",
			s."cache_read_tokens" - coalesce(e."cache_read_tokens", 0) AS "cache_read_tokens", s."cache_write_tokens" - coalesce(e."cache_write_tokens", 0) AS "cache_write_tokens",
			s."reasoning_tokens" - coalesce(e."reasoning_tokens", 0) AS "reasoning_tokens", s."calls" - coalesce(e."calls", 0) AS "calls",
			s."unpriced_calls" - coalesce(e."unpriced_calls", 0) AS "unpriced_calls", s."estimated_calls" - coalesce(e."estimated_calls", 0) AS "estimated_calls",
			nullif(s."cost_usd" - coalesce(e."cost_usd", 0), 0) AS "cost_usd", s."last_activity_at"
		FROM "sessions" s LEFT JOIN (
			SELECT "session_id", sum("request_tokens")::bigint AS "request_tokens", sum("response_tokens")::bigint AS "response_tokens",
				sum("cache_read_tokens")::bigint AS "cache_read_tokens", sum("cache_write_tokens")::bigint AS "cache_write_tokens",
				sum("reasoning_tokens")::bigint AS "reasoning_tokens", sum("calls")::bigint AS "calls", sum("unpriced_calls")::bigint AS "unpriced_calls",
				sum("estimated_calls")::bigint AS "estimated_calls", sum("cost_usd") AS "cost_usd"
			FROM "usage_events" GROUP BY "session_id") e ON e."session_id" = s."session_id") rest
	WHERE ("request_tokens", "response_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "calls", "unpriced_calls", "estimated_calls", coalesce("cost_usd", 0))
		<> (0, 0, 0, 0, 0, 0, 0, 0, 0);--> statement-breakpoint
-- ... and one for each session that was deleted.
INSERT INTO "usage_events" ("session_id", "root_session_id", "agent_name", "provider", "model", "activity", "basis",
	"request_tokens", "response_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
	"calls", "unpriced_calls", "estimated_calls", "cost_usd", "at")
	SELECT "session_id", "session_id", "agent_name", 'unknown', 'unknown', 'conversation', 'unknown',
		"request_tokens", "response_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
		"calls", "unpriced_calls", "estimated_calls", CASE WHEN "calls" = "unpriced_calls" AND "cost_usd" = 0 THEN NULL ELSE "cost_usd" END, "deleted_at"
	FROM "deleted_sessions"
	WHERE ("request_tokens", "response_tokens", "calls", "cost_usd") <> (0, 0, 0, 0)
	ORDER BY "no";--> statement-breakpoint
CREATE FUNCTION "usage_events_are_kept"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'The ledger (usage_events) is only ever added to.';
END $$;--> statement-breakpoint
CREATE TRIGGER "usage_events_are_kept" BEFORE UPDATE OR DELETE ON "usage_events"
	FOR EACH STATEMENT EXECUTE FUNCTION "usage_events_are_kept"();
