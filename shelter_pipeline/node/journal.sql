-- What a node must not forget. Every change is one transaction, durable before anybody is told.
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- In hand, by lease; `going_back` is to be given back as soon as the API hears us.
CREATE TABLE IF NOT EXISTS claim (
    token INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL, item TEXT NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0, going_back INTEGER NOT NULL DEFAULT 0
);
-- What ended and the API has not acknowledged; a letter is sent again as it was until it is.
CREATE TABLE IF NOT EXISTS result (
    token INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL, body TEXT NOT NULL, letter TEXT
);
CREATE TABLE IF NOT EXISTS holding (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, url TEXT,
    proved INTEGER NOT NULL DEFAULT 0, read_at REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
