-- What the schema file cannot say. Room for heap-only updates on rows that change often.
ALTER TABLE "sessions" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "items" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "turns" SET (fillfactor = 70);--> statement-breakpoint
-- Compressed before it gets here: a second compression only costs time.
ALTER TABLE "blobs" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "messages" ALTER COLUMN "raw_request" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "messages" ALTER COLUMN "raw_response" SET STORAGE EXTERNAL;
