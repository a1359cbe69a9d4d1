-- Functions and access keys.

CREATE TABLE functions (
    account_id     TEXT NOT NULL,
    region         TEXT NOT NULL,
    name           TEXT NOT NULL,
    revision_id    TEXT NOT NULL,
    package_sha256 TEXT NOT NULL,
    is_settled     INTEGER NOT NULL CHECK (is_settled IN (0, 1)),
    document       BLOB NOT NULL,
    PRIMARY KEY (account_id, region, name)
);

-- Partial: a restart reads only what it has to continue, however many functions there are.
CREATE INDEX functions_unsettled ON functions (account_id, region, name) WHERE is_settled = 0;

-- Covering: the packages in use are read from the index alone.
CREATE INDEX functions_package ON functions (package_sha256);

CREATE TABLE access_keys (
    access_key_id     TEXT NOT NULL PRIMARY KEY,
    secret_access_key TEXT NOT NULL,
    account_id        TEXT NOT NULL,
    is_root           INTEGER NOT NULL CHECK (is_root IN (0, 1))
);

CREATE UNIQUE INDEX access_keys_root ON access_keys (account_id) WHERE is_root = 1;
