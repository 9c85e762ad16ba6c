-- The report as it was signed: data planes that wait for this one judge it themselves.
ALTER TABLE reports ADD COLUMN envelope TEXT;
