-- In which order reports came, so that whoever has read up to one reads only the later ones.
ALTER TABLE reports ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
UPDATE reports SET version = rowid;
CREATE UNIQUE INDEX reports_version ON reports (version);
