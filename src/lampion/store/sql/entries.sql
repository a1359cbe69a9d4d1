-- name: queue_id
-- The number of a queue.
SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name;

-- name: queue_key
-- Which queue has a number.
SELECT kind, account_id, region, name FROM queues WHERE id = ?;

-- name: insert_queue
-- A queue that had no entry before.
INSERT INTO queues (kind, account_id, region, name) VALUES (:kind, :account_id, :region, :name);

-- name: insert
-- One more entry.
INSERT INTO entries (queue, due_epoch_ms, document, payload) VALUES (?, ?, ?, ?);

-- name: delete
-- An entry that is done; no row changes when it is gone already.
DELETE FROM entries WHERE sequence = ?;

-- name: postpone
-- An entry that is to be tried again later.
UPDATE entries SET due_epoch_ms = ?, document = ? WHERE sequence = ?;

-- name: insert_ending
-- What became of an entry.
INSERT INTO endings (sequence, queue, request_id, ended_epoch_ms, ending, document, payload) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: due
-- Entries of a queue that are due, the longest due first, from the index alone.
SELECT sequence FROM entries WHERE queue = ? AND due_epoch_ms <= ? ORDER BY due_epoch_ms, sequence LIMIT ?;

-- name: get
-- One entry.
SELECT due_epoch_ms, document, payload FROM entries WHERE sequence = ?;

-- name: next_due
-- When the next entry of a queue falls due that isn't yet.
SELECT due_epoch_ms FROM entries WHERE queue = ? AND due_epoch_ms > ? ORDER BY due_epoch_ms LIMIT 1;

-- name: first_due
-- All queues of a kind with the time at which their first entry is due, NULL for those without.
SELECT account_id, region, name,
    (SELECT due_epoch_ms FROM entries WHERE queue = queues.id ORDER BY due_epoch_ms LIMIT 1)
FROM queues WHERE kind = ?;

-- name: get_kept
-- One that failed and is kept whole.
SELECT queue, payload FROM endings WHERE id = ? AND payload IS NOT NULL;

-- name: release_kept
-- What failed is done again: its ending stays, without what was kept.
UPDATE endings SET payload = NULL, document = NULL WHERE id = ?;

-- name: discard_kept
-- What failed in a queue, the earliest first, will not be done again: the endings stay, without what was kept.
UPDATE endings SET payload = NULL, document = NULL WHERE id IN (
    SELECT id FROM endings WHERE queue = :queue AND payload IS NOT NULL AND id <= :up_to ORDER BY id LIMIT :limit
);

-- name: prune_done
-- Forget the oldest endings of what succeeded, but about the latest ones.
DELETE FROM endings WHERE id IN (
    SELECT id FROM endings WHERE payload IS NULL AND id <= :least_kept ORDER BY id LIMIT :limit
);

-- name: prune_failed
-- Forget what failed before a time.
DELETE FROM endings WHERE id IN (
    SELECT id FROM endings WHERE payload IS NOT NULL AND ended_epoch_ms < :failed_before
    ORDER BY ended_epoch_ms LIMIT :limit
);

-- name: latest_ending
-- The number of the latest ending.
SELECT COALESCE(MAX(id), 0) FROM endings;
