/**
 * The tables of a journal: what happened (`event`), and the evidence of sessions.
 *
 * A session's evidence is stored once by content: `content` holds what many sessions to a host have in common, `session` what differs each time
 * (varying.ts says which is which). Nothing is summed up here: who reads does that.
 */
import { join } from 'node:path'
import type { StoreSchema } from '../system/sqlite.ts'

export function journalPath(directory: string): string {
  return join(directory, 'journal.db')
}

export const journalSchema: StoreSchema = {
  applicationId: 0x68_6d_6a_6c, // "hmjl"
  migrations: [
    `CREATE TABLE event (
       seq INTEGER PRIMARY KEY,
       written INTEGER NOT NULL,  -- ms
       kind TEXT NOT NULL,
       message TEXT,              -- NULL for an incident
       delivery TEXT,             -- id of the delivery document, when it has one
       body TEXT NOT NULL         -- the event as JSON
     ) STRICT;
     CREATE INDEX event_message ON event (message) WHERE message IS NOT NULL;
     CREATE INDEX event_delivery ON event (delivery) WHERE delivery IS NOT NULL;
     CREATE INDEX event_incident ON event (seq) WHERE kind = 'incident';
     CREATE TABLE content (
       key INTEGER PRIMARY KEY,
       hash TEXT NOT NULL UNIQUE,
       used INTEGER NOT NULL,     -- ms: the newest session that refers to it, within a day
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX content_used ON content (used);
     CREATE TABLE session (
       seq INTEGER PRIMARY KEY,
       written INTEGER NOT NULL,
       id TEXT NOT NULL UNIQUE,
       content INTEGER NOT NULL,
       varying TEXT NOT NULL
     ) STRICT;`,
    // For `lastSeen`: the contents of a host, and the sessions of a content.
    `CREATE INDEX content_host ON content (json_extract(body, '$.host'));
     CREATE INDEX session_content ON session (content);`,
  ],
}
