-- name: holding
-- Names of queues that hold entries or kept endings, from after a name.
SELECT name FROM queues
WHERE kind = :kind AND account_id = :account_id AND region = :region AND name > :after AND (
    EXISTS (SELECT 1 FROM entries WHERE queue = queues.id)
    OR EXISTS (SELECT 1 FROM endings WHERE queue = queues.id AND payload IS NOT NULL)
)
ORDER BY name LIMIT :limit;

-- name: number
-- The number of a queue.
SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name;

-- name: depth
-- How many entries of a queue are due, how many will be, how much failed in it and is kept: each counted up to a limit.
SELECT
    (SELECT COUNT(*) FROM (
        SELECT 1 FROM entries WHERE queue = own.id AND due_epoch_ms <= :now LIMIT :most
    )),
    (SELECT COUNT(*) FROM (
        SELECT 1 FROM entries WHERE queue = own.id AND due_epoch_ms > :now LIMIT :most
    )),
    (SELECT COUNT(*) FROM (
        SELECT 1 FROM endings WHERE queue = own.id AND payload IS NOT NULL LIMIT :most
    ))
FROM queues AS own WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name;

-- name: page_at
-- Entries of a queue that are due at one time, from after one of them: the first half of a page. One comparison of pairs
-- for both halves would walk all that are due at the same time.
SELECT sequence, due_epoch_ms, document, substr(payload, 1, :payload_bytes), length(payload) FROM entries
WHERE queue = (SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name)
    AND due_epoch_ms = :due_epoch_ms AND sequence > :sequence
ORDER BY sequence LIMIT :limit;

-- name: page_after
-- Entries of a queue that are due after one time: the second half of a page.
SELECT sequence, due_epoch_ms, document, substr(payload, 1, :payload_bytes), length(payload) FROM entries
WHERE queue = (SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name)
    AND due_epoch_ms > :due_epoch_ms
ORDER BY due_epoch_ms, sequence LIMIT :limit;

-- name: kept
-- What failed in a queue and is kept whole, the latest first.
SELECT id, sequence, request_id, ended_epoch_ms, ending, document, substr(payload, 1, :payload_bytes), length(payload)
FROM endings
WHERE queue = (SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name)
    AND payload IS NOT NULL AND id < :before
ORDER BY id DESC LIMIT :limit;

-- name: kept_from
-- What failed in a queue and is kept whole, the earliest first, without payloads.
SELECT id, sequence, request_id, ended_epoch_ms, ending, document, x'', length(payload) FROM endings
WHERE queue = (SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name)
    AND payload IS NOT NULL AND id > :after
ORDER BY id LIMIT :limit;

-- name: kept_of
-- What failed of one invocation and is kept whole, without payloads.
SELECT id, sequence, request_id, ended_epoch_ms, ending, document, x'', length(payload) FROM endings
WHERE request_id = :request_id
    AND queue = (SELECT id FROM queues WHERE kind = :kind AND account_id = :account_id AND region = :region AND name = :name)
    AND payload IS NOT NULL
ORDER BY id LIMIT :limit;

-- name: latest
-- The highest numbers of entries and endings.
SELECT (SELECT COALESCE(MAX(sequence), 0) FROM entries), (SELECT COALESCE(MAX(id), 0) FROM endings);
