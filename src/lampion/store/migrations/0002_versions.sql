-- Published versions beside $LATEST: a row each, by number; $LATEST is number 0.

DROP INDEX functions_unsettled;
DROP INDEX functions_package;
ALTER TABLE functions RENAME TO functions_without_versions;

CREATE TABLE functions (
    account_id       TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 0),
    revision_id      TEXT NOT NULL,
    package_sha256   TEXT NOT NULL,
    is_settled       INTEGER NOT NULL CHECK (is_settled IN (0, 1)),
    is_snap_started  INTEGER NOT NULL CHECK (is_snap_started IN (0, 1)),
    document         BLOB NOT NULL,
    PRIMARY KEY (account_id, region, name, number)
);

INSERT INTO functions
SELECT account_id, region, name, 0, revision_id, package_sha256, is_settled, 0, document
FROM functions_without_versions;

DROP TABLE functions_without_versions;

-- Partial: a page of functions costs the same however many versions they have.
CREATE INDEX functions_latest ON functions (account_id, region, name) WHERE number = 0;

-- Partial: a restart reads only what it has to continue, however many functions there are.
CREATE INDEX functions_unsettled ON functions (account_id, region, name, number) WHERE is_settled = 0;

-- Partial: a restart makes the snapshots anew, for none outlives a server.
CREATE INDEX functions_snap_started ON functions (account_id, region, name, number) WHERE is_snap_started = 1;

-- Covering: the packages in use are read from the index alone.
CREATE INDEX functions_package ON functions (package_sha256);
