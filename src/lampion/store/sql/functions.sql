-- name: get
-- The document of one function's $LATEST (number 0) or version.
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND name = :name AND number = :number;

-- name: insert
-- A new function, or one more version of it; the primary key refuses a second one.
INSERT INTO functions
    (account_id, region, name, number, revision_id, package_sha256, package_bytes, layer_code, is_settled,
     is_snap_started, document)
VALUES
    (:account_id, :region, :name, :number, :revision_id, :package_sha256, :package_bytes, :layer_code, :is_settled,
     :is_snap_started, :document);

-- name: put_version
-- One more version, or $LATEST.PUBLISHED anew.
INSERT OR REPLACE INTO functions
    (account_id, region, name, number, revision_id, package_sha256, package_bytes, layer_code, is_settled,
     is_snap_started, document)
VALUES
    (:account_id, :region, :name, :number, :revision_id, :package_sha256, :package_bytes, :layer_code, :is_settled,
     :is_snap_started, :document);

-- name: replace
-- The optimistic lock: no row changes when another revision is stored.
UPDATE functions
SET revision_id = :revision_id, package_sha256 = :package_sha256, package_bytes = :package_bytes,
    layer_code = :layer_code, is_settled = :is_settled, is_snap_started = :is_snap_started, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND number = :number
    AND revision_id = :expected_revision_id;

-- name: delete
-- Forget one function with all its versions.
DELETE FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: delete_version
-- Forget one version; the function keeps its count, so that its number is not given again.
DELETE FROM functions WHERE account_id = :account_id AND region = :region AND name = :name AND number = :number;

-- name: page
-- $LATEST of the functions of one account and region after a name, in bytewise order, along the partial index.
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND number = 0 AND name > :after
ORDER BY name
LIMIT :limit;

-- name: page_with_versions
-- Functions and versions of one account and region after a name and number: a walk along the primary key.
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND (name, number) > (:after_name, :after_number)
ORDER BY name, number
LIMIT :limit;

-- name: versions
-- $LATEST and the versions of one function after a number.
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND name = :name AND number > :after
ORDER BY number
LIMIT :limit;

-- name: unsettled
-- What a restart has to continue, from the partial index.
SELECT document FROM functions WHERE is_settled = 0 ORDER BY account_id, region, name, number;

-- name: unsettled_of
-- What is outstanding on one function and its versions, from the partial index.
SELECT document FROM functions
WHERE is_settled = 0 AND account_id = :account_id AND region = :region AND name = :name
ORDER BY number;

-- name: snap_started
-- Versions that want a snapshot, from the partial index.
SELECT document FROM functions WHERE is_snap_started = 1 ORDER BY account_id, region, name, number;

-- name: with_plain_environment
-- Functions and versions with variables as older versions stored them: reads everything, once in a store's life.
SELECT document FROM functions
WHERE instr(document, CAST('"environment":{"' AS BLOB)) > 0
ORDER BY account_id, region, name, number;

-- name: packages_in_use
-- Deployment packages that some function or version refers to, from the index alone.
SELECT DISTINCT package_sha256 FROM functions;

-- name: layer_code_in_use
-- The code of layers that some function or version has, from the index alone: names with spaces between them.
SELECT DISTINCT layer_code FROM functions WHERE layer_code IS NOT NULL;

-- name: runtimes
-- Which functions have which runtime, in $LATEST or a version: reads everything, so not for a server.
SELECT DISTINCT json_extract(CAST(document AS TEXT), '$.configuration.runtime') AS runtime, name
FROM functions
WHERE runtime IS NOT NULL
ORDER BY runtime, name;
