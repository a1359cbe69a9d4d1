-- What failed is looked for by the request id of its invocation.

CREATE INDEX endings_kept_of ON endings (request_id) WHERE payload IS NOT NULL;
