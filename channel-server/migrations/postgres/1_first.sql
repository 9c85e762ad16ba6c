-- As SQLite's tables after its second version. Times are Unix milliseconds; documents are JSON text, as they were hashed.
CREATE TABLE events (
    seq      BIGINT PRIMARY KEY,   -- from 1, without gaps
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    hash     TEXT   NOT NULL UNIQUE -- SHA-256 over the hash before it and this row
);
-- Nobody rewrites history, not even by accident.
CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_stay();

-- The newest report of each data plane; what it meant for rollouts is in the events.
CREATE TABLE reports (
    organization TEXT   NOT NULL,
    data_plane   TEXT   NOT NULL,
    received     BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    version      BIGINT NOT NULL,   -- in which order they came
    PRIMARY KEY (organization, data_plane)
);
CREATE UNIQUE INDEX reports_version ON reports (version);

CREATE TABLE seen (
    organization TEXT   NOT NULL,
    data_plane   TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (organization, data_plane)
);

CREATE TABLE api_tokens (
    id           TEXT   PRIMARY KEY,
    hash         TEXT   NOT NULL UNIQUE, -- SHA-256 of a secret of 256 random bits
    name         TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    organization TEXT,
    expires      BIGINT NOT NULL,
    revoked      BIGINT
);

CREATE TABLE kept (
    name  TEXT PRIMARY KEY,  -- 'floors': what the catalog has reached
    value TEXT NOT NULL
);
