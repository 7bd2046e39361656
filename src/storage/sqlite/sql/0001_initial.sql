-- Times are whole microseconds since 1970-01-01T00:00:00Z, amounts whole micro-dollars.

-- Numbers that are never handed out twice, whatever is deleted or restored row by row.
--   version     of users.version         auth_epoch  of users.auth_epoch
--   commit      transactions that wrote: a snapshot that reads n here sees exactly the first n
CREATE TABLE sequences (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sequences VALUES ('version', 0), ('auth_epoch', 0), ('commit', 0);

-- AUTOINCREMENT: an id is not used again after its user was deleted.
-- NOCASE folds A-Z only, exactly as the program does.
CREATE TABLE users (
  id               INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
  email            TEXT NOT NULL COLLATE NOCASE CHECK (email <> ''),
  username         TEXT COLLATE NOCASE,
  first_name       TEXT NOT NULL DEFAULT '',
  last_name        TEXT NOT NULL DEFAULT '',
  role             TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin', 'service')),
  is_active        INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  quota_micros     INTEGER,
  used_micros      INTEGER NOT NULL DEFAULT 0,
  settings         TEXT,
  created_at       INTEGER NOT NULL DEFAULT 0,
  updated_at       INTEGER NOT NULL DEFAULT 0,
  last_login_at    INTEGER,
  version          INTEGER NOT NULL DEFAULT 0,
  counters_version INTEGER NOT NULL DEFAULT 0,
  auth_epoch       INTEGER NOT NULL DEFAULT 0,
  password_hash    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email);
CREATE UNIQUE INDEX users_username ON users (username) WHERE username IS NOT NULL;
-- "Is there another administrator?" looks at this index only, whatever the number of users.
CREATE INDEX users_active_admins ON users (id) WHERE role = 'admin' AND is_active = 1;

-- What is searched, folded by the program: first name, last name and e-mail, each followed by U+001F, and one
-- more at the end, so that each of the first two characters of everything starts a trigram. A table of
-- its own, because a scan of it reads a fifth of what a scan of users reads.
CREATE TABLE user_search (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;
-- detail=none: half the size, and counting is a third faster; hits are verified with instr() anyway.
CREATE VIRTUAL TABLE user_trigrams USING fts5 (
  text, content = 'user_search', content_rowid = 'id', tokenize = 'trigram case_sensitive 1', detail = none
);
CREATE VIRTUAL TABLE user_trigram_terms USING fts5vocab ('user_trigrams', 'row');
CREATE TRIGGER user_search_inserted AFTER INSERT ON user_search BEGIN
  INSERT INTO user_trigrams (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER user_search_deleted AFTER DELETE ON user_search BEGIN
  INSERT INTO user_trigrams (user_trigrams, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER user_search_updated AFTER UPDATE ON user_search WHEN new.text <> old.text BEGIN
  INSERT INTO user_trigrams (user_trigrams, rowid, text) VALUES ('delete', old.id, old.text);
  INSERT INTO user_trigrams (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER users_deleted AFTER DELETE ON users BEGIN
  DELETE FROM user_search WHERE id = old.id;
END;
-- The program gives every state of a profile a new version and writes the search text itself. For rows that
-- other programs write these two do it, folding as well as SQLite can (A-Z).
CREATE TRIGGER users_inserted_by_others AFTER INSERT ON users WHEN new.version = 0 BEGIN
  UPDATE sequences SET value = value + 1 WHERE name IN ('version', 'auth_epoch');
  UPDATE users SET version = (SELECT value FROM sequences WHERE name = 'version'),
                   auth_epoch = (SELECT value FROM sequences WHERE name = 'auth_epoch')
   WHERE id = new.id;
  INSERT OR REPLACE INTO user_search VALUES (new.id, lower(
    new.first_name || char(31) || new.last_name || char(31) || new.email || char(31, 31)));
END;
CREATE TRIGGER users_changed_by_others
AFTER UPDATE OF email, username, first_name, last_name, role, is_active, quota_micros, settings ON users
WHEN new.version = old.version BEGIN
  UPDATE sequences SET value = value + 1 WHERE name = 'version';
  UPDATE users SET version = (SELECT value FROM sequences WHERE name = 'version') WHERE id = new.id;
  UPDATE user_search SET text = lower(
    new.first_name || char(31) || new.last_name || char(31) || new.email || char(31, 31))
   WHERE id = new.id AND (new.email <> old.email COLLATE BINARY OR new.first_name <> old.first_name
                          OR new.last_name <> old.last_name);
END;
-- Who is disabled by another program, or gets another password from it, is signed out for good as well.
CREATE TRIGGER users_signed_out_by_others AFTER UPDATE OF is_active, password_hash ON users
WHEN new.version = old.version AND new.auth_epoch = old.auth_epoch
 AND (new.is_active < old.is_active OR new.password_hash <> old.password_hash) BEGIN
  UPDATE sequences SET value = value + 1 WHERE name = 'auth_epoch';
  UPDATE users SET auth_epoch = (SELECT value FROM sequences WHERE name = 'auth_epoch') WHERE id = new.id;
END;

CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  auth_epoch INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('login', 'service_token')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  address    TEXT NOT NULL,
  user_agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE signing_keys (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  kid          TEXT NOT NULL UNIQUE,
  public_key   BLOB NOT NULL,
  private_key  BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  retired_at   INTEGER,
  verify_until INTEGER,
  revoked_at   INTEGER
) STRICT;

-- Idempotency keys of recorded usage, kept for a day.
CREATE TABLE usage_keys (
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  micros     INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_keys_by_age ON usage_keys (created_at);

-- Rows of an adopted table that broke the rules above, as they were.
CREATE TABLE users_quarantine (
  id,
  first_name,
  last_name,
  email,
  password,
  reason         TEXT,
  quarantined_at INTEGER
);
