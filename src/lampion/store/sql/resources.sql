-- name: get
-- One resource.
SELECT document FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND owner = :owner AND id = :id;

-- name: put
-- A new resource, or a new value of one.
INSERT OR REPLACE INTO resources
    (account_id, region, kind, owner, id, found_by, package_sha256, package_bytes, document)
VALUES
    (:account_id, :region, :kind, :owner, :id, :found_by, :package_sha256, :package_bytes, :document);

-- name: delete
-- Forget one resource.
DELETE FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND owner = :owner AND id = :id;

-- name: delete_owned
-- Forget all that a function owns.
DELETE FROM resources WHERE account_id = :account_id AND region = :region AND owner = :owner AND owner <> '';

-- name: delete_owned_under
-- Forget all that a function owns under one id: a version's or an alias's.
DELETE FROM resources INDEXED BY resources_owned
WHERE account_id = :account_id AND region = :region AND owner = :owner AND owner <> '' AND id = :id;

-- name: page
-- Resources of all owners from an owner and id on: a walk along the primary key.
SELECT document FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND (owner, id) >= (:from_owner, :from_id)
ORDER BY owner, id
LIMIT :limit;

-- name: page_of_owner
-- Resources of one owner from an id on.
SELECT document FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND owner = :owner
    AND id >= :from_id
ORDER BY id
LIMIT :limit;

-- name: page_of_owner_descending
-- Resources of one owner before an id, the greatest first.
SELECT document FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND owner = :owner
    AND id < :before_id
ORDER BY id DESC
LIMIT :limit;

-- name: found
-- Resources that are looked for by another value than their place, along its index.
SELECT document FROM resources
WHERE account_id = :account_id AND region = :region AND kind = :kind AND found_by = :found_by
    AND (owner, id) >= (:from_owner, :from_id)
ORDER BY owner, id
LIMIT :limit;

-- name: packages_in_use
-- Packages that some resource refers to, from the index alone.
SELECT DISTINCT package_sha256 FROM resources WHERE package_sha256 IS NOT NULL;

-- name: accounts_with
-- Accounts and regions that have a resource of a kind, from the primary key alone.
SELECT DISTINCT account_id, region FROM resources WHERE kind = :kind ORDER BY account_id, region;

-- name: code_use
-- Functions of an account, and the bytes of all its packages, from the indexes alone.
SELECT
    (SELECT COUNT(*) FROM functions INDEXED BY functions_latest WHERE account_id = :account_id AND region = :region AND number = 0),
    (SELECT COALESCE(SUM(package_bytes), 0) FROM functions WHERE account_id = :account_id AND region = :region)
    + (SELECT COALESCE(SUM(package_bytes), 0) FROM resources
       WHERE account_id = :account_id AND region = :region AND package_sha256 IS NOT NULL);
