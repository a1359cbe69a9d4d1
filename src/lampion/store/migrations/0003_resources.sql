-- What belongs to functions and accounts beside functions; and how much code each version stores.

CREATE TABLE resources (
    account_id     TEXT NOT NULL,
    region         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    owner          TEXT NOT NULL,
    id             TEXT NOT NULL,
    found_by       TEXT,
    package_sha256 TEXT,
    package_bytes  INTEGER NOT NULL,
    document       BLOB NOT NULL,
    PRIMARY KEY (account_id, region, kind, owner, id)
);

-- What goes when a function, a version or an alias is deleted.
CREATE INDEX resources_owned ON resources (account_id, region, owner, id) WHERE owner <> '';

CREATE INDEX resources_found_by ON resources (account_id, region, kind, found_by, owner, id)
WHERE found_by IS NOT NULL;

-- Covering: code in use, and how much, are read from the index alone.
CREATE INDEX resources_package ON resources (account_id, region, package_bytes, package_sha256)
WHERE package_sha256 IS NOT NULL;

ALTER TABLE functions ADD COLUMN package_bytes INTEGER NOT NULL DEFAULT 0;

UPDATE functions SET package_bytes = json_extract(CAST(document AS TEXT), '$.package.size_bytes');

-- Covering: an account's sum is read from the index alone.
CREATE INDEX functions_package_bytes ON functions (account_id, region, package_bytes);
