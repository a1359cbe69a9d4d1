-- name: get
-- One access key by its id.
SELECT access_key_id, secret_access_key, account_id, is_root FROM access_keys WHERE access_key_id = :access_key_id;

-- name: root
-- The account's root key.
SELECT access_key_id, secret_access_key, account_id, is_root FROM access_keys
WHERE account_id = :account_id AND is_root = 1;

-- name: insert
-- A new key; a taken id and a second root key of an account are refused by unique indexes.
INSERT INTO access_keys (access_key_id, secret_access_key, account_id, is_root)
VALUES (:access_key_id, :secret_access_key, :account_id, :is_root);
