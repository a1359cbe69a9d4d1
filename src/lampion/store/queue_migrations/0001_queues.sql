-- What was accepted and isn't done yet, and what became of what is done.

CREATE TABLE queues (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    UNIQUE (kind, account_id, region, name)
);

-- AUTOINCREMENT: a sequence number means one entry for ever, also when all entries are gone.
CREATE TABLE entries (
    sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
    queue         INTEGER NOT NULL REFERENCES queues (id),
    due_epoch_ms  INTEGER NOT NULL,
    document      BLOB NOT NULL,
    payload       BLOB NOT NULL
);

-- The order in which a queue's entries fall due; the first of each queue is found without reading the others.
CREATE INDEX entries_due ON entries (queue, due_epoch_ms);

-- In the order of their ends: what is oldest is forgotten first.
CREATE TABLE endings (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence        INTEGER NOT NULL,
    queue           INTEGER NOT NULL REFERENCES queues (id),
    request_id      TEXT NOT NULL,
    ended_epoch_ms  INTEGER NOT NULL,
    ending          TEXT NOT NULL,
    document        BLOB,
    payload         BLOB
);

-- Partial: what failed is kept whole, so that it can be done again ...
CREATE INDEX endings_kept ON endings (queue, id) WHERE payload IS NOT NULL;

-- ... for some time.
CREATE INDEX endings_kept_since ON endings (ended_epoch_ms) WHERE payload IS NOT NULL;
