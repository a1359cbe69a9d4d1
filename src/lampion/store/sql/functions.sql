-- name: get
-- One function's document.
SELECT document FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: insert
-- A new function; the primary key refuses a second one.
INSERT INTO functions (account_id, region, name, revision_id, package_sha256, is_settled, document)
VALUES (:account_id, :region, :name, :revision_id, :package_sha256, :is_settled, :document);

-- name: replace
-- The optimistic lock: no row changes when another revision is stored.
UPDATE functions
SET revision_id = :revision_id, package_sha256 = :package_sha256, is_settled = :is_settled, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND revision_id = :expected_revision_id;

-- name: delete
-- Forget one function.
DELETE FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: page
-- Functions of one account and region after a name, in bytewise order: a walk along the primary key.
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND name > :after
ORDER BY name
LIMIT :limit;

-- name: unsettled
-- What a restart has to continue, from the partial index.
SELECT document FROM functions WHERE is_settled = 0 ORDER BY account_id, region, name;

-- name: packages_in_use
-- Deployment packages that some function refers to, from the index alone.
SELECT DISTINCT package_sha256 FROM functions;
