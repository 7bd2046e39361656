-- The schema for PostgreSQL 15 and later. Everything lives in the schema public; every function names
-- what it uses with its schema, so no search_path matters. Times are timestamptz, amounts dollars with
-- six decimals.
--
-- docs/consistency.md explains the part that begins at user_changes.

-- ---------------------------------------------------------------------------------------------- users

-- Numbers that are never handed out twice, whatever is deleted, restored row by row or rolled back.
CREATE SEQUENCE public.users_id_seq;
CREATE SEQUENCE public.users_version_seq;
CREATE SEQUENCE public.users_auth_epoch_seq;

-- email_folded folds A-Z only, exactly as the program does; look-ups use it. The check on email is the
-- program's rule (one @ with something on both sides, no white space, no control characters), so that
-- no other program can store an address that this one cannot read.
CREATE TABLE public.users (
  id               bigint PRIMARY KEY DEFAULT nextval('public.users_id_seq')
                   CONSTRAINT users_id_range CHECK (id > 0 AND id <= 9007199254740992),
  email            text NOT NULL
                   CONSTRAINT users_email_form CHECK (
                     octet_length(email) <= 254
                     AND (email COLLATE "C") ~ '^[^@\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+@[^@\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$'),
  email_folded     text COLLATE "C" GENERATED ALWAYS AS (lower(email COLLATE "C")) STORED,
  username         text
                   CONSTRAINT users_username_form CHECK ((username COLLATE "C") ~ '^[A-Za-z0-9._-]{3,64}$'),
  first_name       text NOT NULL DEFAULT '',
  last_name        text NOT NULL DEFAULT '',
  role             text NOT NULL DEFAULT 'user'
                   CONSTRAINT users_role_known CHECK (role IN ('user', 'admin', 'service')),
  is_active        boolean NOT NULL DEFAULT true,
  quota_usd        numeric(16, 6)
                   CONSTRAINT users_quota_range CHECK (quota_usd BETWEEN 0 AND 9000000000),
  used_usd         numeric(16, 6) NOT NULL DEFAULT 0
                   CONSTRAINT users_used_range CHECK (used_usd BETWEEN 0 AND 9000000000),
  -- json, not jsonb: an answer repeats the text as it was given.
  settings         json
                   CONSTRAINT users_settings_form CHECK (
                     json_typeof(settings) = 'object' AND octet_length(settings::text) <= 16384),
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  last_login_at    timestamptz,
  -- These three are given by the trigger users_prepare, whatever a statement says.
  version          bigint NOT NULL DEFAULT 0,
  counters_version bigint NOT NULL DEFAULT 0,
  auth_epoch       bigint NOT NULL DEFAULT 0,
  password_hash    text NOT NULL DEFAULT '',
  -- What is searched: see users_prepare and search_query.
  search           text NOT NULL DEFAULT ''
) WITH (fillfactor = 90);
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER SEQUENCE public.users_version_seq OWNED BY public.users.version;
ALTER SEQUENCE public.users_auth_epoch_seq OWNED BY public.users.auth_epoch;

CREATE UNIQUE INDEX users_email ON public.users (email_folded);
CREATE UNIQUE INDEX users_username ON public.users (lower(username COLLATE "C")) WHERE username IS NOT NULL;
-- "Is there another administrator?" looks at this index only, whatever the number of users.
CREATE INDEX users_active_admins ON public.users (id) WHERE role = 'admin' AND is_active;

-- Searching. `search` holds first name, last name and e-mail, folded, each followed by U+001F, and one
-- more at the end, so that every character starts a trigram. The index has all of them as lexemes:
-- pg_trgm would leave out what its locale takes for punctuation (in the locale C everything but ASCII),
-- and knows nothing of keywords of one or two characters; here these are a prefix. The index only names
-- candidates: WHERE search_grams(search) @@ search_query(keyword) AND strpos(search, keyword) > 0.
-- COST: a plan that computes the trigrams of many rows is never the right one.
CREATE FUNCTION public.search_grams(folded text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
DECLARE
  c     text;
  one   text := '';
  two   text := '';
  grams text[] := '{}';
BEGIN
  FOREACH c IN ARRAY string_to_array(left(folded, 30000), NULL) LOOP
    IF one <> '' AND one <> E'\x1f' THEN
      grams := grams || (one || two || c);
    END IF;
    one := two;
    two := c;
  END LOOP;
  RETURN array_to_tsvector(grams);
END $$;

-- `folded`: the folded keyword, not empty.
CREATE FUNCTION public.search_query(folded text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT string_agg(
           '''' || replace(replace(substr(folded, i, 3), '\', '\\'), '''', '''''') || ''''
           || CASE WHEN char_length(folded) < 3 THEN ':*' ELSE '' END, ' & ')::tsquery
    -- Candidates only: more trigrams than this do not make them noticeably fewer.
    FROM generate_series(1, greatest(1, least(char_length(folded) - 2, 24))) AS i;
END;

CREATE INDEX users_search ON public.users USING gin (public.search_grams(search));

-- Gives every state of a row its numbers, for whoever writes it.
--
--   version           from the sequence, when the profile or the password changed
--   counters_version  one more, when used_usd or last_login_at changed
--   auth_epoch        from the sequence, when the password changed, is_active became false, or the
--                     statement sets another epoch (any: it only says that all sessions are over)
--   search            if the statement gives it with a leading U+001E: the rest, folded by the program.
--                     Else, when the names or the address changed without it, what lower() makes of them
--
-- rehash_user() names the row whose new hash is one of the same password in user_manager.rehash.
CREATE FUNCTION public.users_prepare() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  new_password boolean;
  fold         boolean;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.version := nextval('public.users_version_seq');
    NEW.counters_version := 0;
    NEW.auth_epoch := nextval('public.users_auth_epoch_seq');
    fold := NEW.search = '';
  ELSE
    new_password := NEW.password_hash IS DISTINCT FROM OLD.password_hash
      AND NEW.id::text IS DISTINCT FROM current_setting('user_manager.rehash', true);
    IF new_password OR (OLD.is_active AND NOT NEW.is_active) OR NEW.auth_epoch <> OLD.auth_epoch THEN
      NEW.auth_epoch := nextval('public.users_auth_epoch_seq');
    END IF;
    IF new_password
       OR (NEW.id, NEW.email, NEW.username, NEW.first_name, NEW.last_name, NEW.role, NEW.is_active,
           NEW.quota_usd, NEW.settings::text, NEW.created_at, NEW.updated_at)
          IS DISTINCT FROM
          (OLD.id, OLD.email, OLD.username, OLD.first_name, OLD.last_name, OLD.role, OLD.is_active,
           OLD.quota_usd, OLD.settings::text, OLD.created_at, OLD.updated_at) THEN
      NEW.version := nextval('public.users_version_seq');
    ELSE
      NEW.version := OLD.version;
    END IF;
    NEW.counters_version := OLD.counters_version
      + ((NEW.used_usd, NEW.last_login_at) IS DISTINCT FROM (OLD.used_usd, OLD.last_login_at))::integer;
    fold := NEW.search = OLD.search
      AND (NEW.email, NEW.first_name, NEW.last_name)
          IS DISTINCT FROM (OLD.email, OLD.first_name, OLD.last_name);
  END IF;
  IF starts_with(NEW.search, E'\x1e') THEN
    NEW.search := substr(NEW.search, 2);
  ELSIF fold THEN
    NEW.search := concat(
      lower(translate(left(NEW.first_name, 8192), public.control_characters(), repeat(' ', 31))), E'\x1f',
      lower(translate(left(NEW.last_name, 8192), public.control_characters(), repeat(' ', 31))), E'\x1f',
      lower(NEW.email), E'\x1f\x1f');
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION public.control_characters() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 31) AS i;
END;

CREATE TRIGGER users_prepare BEFORE INSERT OR UPDATE ON public.users
  FOR EACH ROW EXECUTE FUNCTION public.users_prepare();

-- An id that a statement chose itself is never handed out by the sequence afterwards. At commit, so
-- that what is rolled back uses up nothing. nextval() never goes back; setval() might, in the moment
-- between looking and setting, if others took more than a thousand numbers in it.
CREATE FUNCTION public.users_use_up_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gap bigint := NEW.id - (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.users_id_seq);
BEGIN
  IF gap > 1000 THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('user-manager: ids', 0));
    PERFORM setval('public.users_id_seq', NEW.id) FROM public.users_id_seq WHERE last_value < NEW.id;
  ELSIF gap > 0 THEN
    WHILE nextval('public.users_id_seq') < NEW.id LOOP
    END LOOP;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER users_use_up_id AFTER INSERT OR UPDATE OF id ON public.users
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.users_use_up_id();

-- Replaces a hash by another of the same password: ends no session, changes no version.
CREATE FUNCTION public.rehash_user(id bigint, old_hash text, new_hash text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done boolean;
BEGIN
  PERFORM set_config('user_manager.rehash', rehash_user.id::text, true);
  UPDATE public.users SET password_hash = new_hash
   WHERE users.id = rehash_user.id AND password_hash = old_hash;
  done := FOUND;
  PERFORM set_config('user_manager.rehash', '', true);
  RETURN done;
END $$;

-- ------------------------------------------------------------------------------- sessions, keys, usage

CREATE TABLE public.sessions (
  id         text PRIMARY KEY,
  user_id    bigint NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
  auth_epoch bigint NOT NULL,
  kind       text NOT NULL CONSTRAINT sessions_kind_known CHECK (kind IN ('login', 'service_token')),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  address    text NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_of_user ON public.sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON public.sessions (expires_at);

CREATE TABLE public.signing_keys (
  number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kid          text NOT NULL CONSTRAINT signing_keys_kid UNIQUE,
  public_key   bytea NOT NULL,
  private_key  bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  retired_at   timestamptz,
  verify_until timestamptz,
  revoked_at   timestamptz
);

-- Idempotency keys of recorded usage, kept for a day.
CREATE TABLE public.usage_keys (
  user_id    bigint NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
  key        text NOT NULL,
  usd        numeric(16, 6) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, key)
);
CREATE INDEX usage_keys_by_age ON public.usage_keys (created_at);

-- Rows of an adopted table that broke the rules above, as they were.
CREATE TABLE public.users_quarantine (
  id             text,
  first_name     text,
  last_name      text,
  email          text,
  password       text,
  reason         text NOT NULL,
  quarantined_at timestamptz NOT NULL DEFAULT now()
);

-- ------------------------------------------------------------------------------------ what has changed

-- One row for each cache key that a transaction touched: user:<id>, email:<folded>, session:<id>.
-- ckey null: everything. Removed by purge_changes() only.
CREATE TABLE public.user_changes (
  xid  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  ckey bytea
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX user_changes_xid ON public.user_changes (xid);

-- A change that was not on disk could be read, cached and then be gone after a crash. Who switched the
-- wait off gets it back for this transaction. At commit, after everything else that the transaction did.
CREATE FUNCTION public.user_changes_are_durable() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER user_changes_are_durable AFTER INSERT ON public.user_changes
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.user_changes_are_durable();

-- Notes that this transaction touches `keys`. user_manager.touched counts them, for this transaction
-- only (a savepoint that is rolled back takes its part of the count along); beyond the limit one row for
-- everything stands for all that follow.
CREATE FUNCTION public.record_changes(keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key_limit CONSTANT integer := 5000;
  touched integer := coalesce(nullif(current_setting('user_manager.touched', true), ''), '0');
BEGIN
  IF touched > key_limit THEN
    RETURN;
  END IF;
  touched := touched + cardinality(keys);
  PERFORM set_config('user_manager.touched', touched::text, true);
  IF touched > key_limit THEN
    INSERT INTO public.user_changes (ckey) VALUES (NULL);
  ELSE
    INSERT INTO public.user_changes (ckey) SELECT convert_to(key, 'UTF8') FROM unnest(keys) AS key;
  END IF;
END $$;

-- The functions of the triggers run with the rights of the schema's owner, so that everybody who may
-- write a row can, and need not know of user_changes.
CREATE FUNCTION public.users_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys text[] := '{}';
BEGIN
  IF TG_OP = 'INSERT' THEN
    keys := ARRAY['user:' || NEW.id, 'email:' || NEW.email_folded];
  ELSIF TG_OP = 'DELETE' THEN
    keys := ARRAY['user:' || OLD.id, 'email:' || OLD.email_folded];
  ELSE
    keys := ARRAY['user:' || OLD.id];
    IF NEW.id <> OLD.id THEN
      keys := keys || ('user:' || NEW.id);
    END IF;
    -- Under an address stands the id of its owner.
    IF NEW.email_folded <> OLD.email_folded OR NEW.id <> OLD.id THEN
      keys := keys || ('email:' || OLD.email_folded) || ('email:' || NEW.email_folded);
    END IF;
  END IF;
  PERFORM public.record_changes(keys);
  RETURN NULL;
END $$;

CREATE FUNCTION public.sessions_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM public.record_changes(ARRAY['session:' || NEW.id]);
  ELSIF TG_OP = 'DELETE' OR NEW.id = OLD.id THEN
    PERFORM public.record_changes(ARRAY['session:' || OLD.id]);
  ELSE
    PERFORM public.record_changes(ARRAY['session:' || OLD.id, 'session:' || NEW.id]);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.everything_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.user_changes (ckey) VALUES (NULL);
  RETURN NULL;
END $$;

CREATE TRIGGER users_inserted AFTER INSERT ON public.users
  FOR EACH ROW EXECUTE FUNCTION public.users_changed();
CREATE TRIGGER users_deleted AFTER DELETE ON public.users
  FOR EACH ROW EXECUTE FUNCTION public.users_changed();
CREATE TRIGGER users_updated AFTER UPDATE ON public.users
  FOR EACH ROW
  WHEN ((OLD.id, OLD.email, OLD.username, OLD.first_name, OLD.last_name, OLD.role, OLD.is_active,
         OLD.quota_usd, OLD.used_usd, OLD.settings::text, OLD.created_at, OLD.updated_at,
         OLD.last_login_at, OLD.version, OLD.counters_version, OLD.auth_epoch)
        IS DISTINCT FROM
        (NEW.id, NEW.email, NEW.username, NEW.first_name, NEW.last_name, NEW.role, NEW.is_active,
         NEW.quota_usd, NEW.used_usd, NEW.settings::text, NEW.created_at, NEW.updated_at,
         NEW.last_login_at, NEW.version, NEW.counters_version, NEW.auth_epoch))
  EXECUTE FUNCTION public.users_changed();
CREATE TRIGGER users_truncated AFTER TRUNCATE ON public.users
  FOR EACH STATEMENT EXECUTE FUNCTION public.everything_changed();
CREATE TRIGGER sessions_inserted AFTER INSERT ON public.sessions
  FOR EACH ROW EXECUTE FUNCTION public.sessions_changed();
CREATE TRIGGER sessions_deleted AFTER DELETE ON public.sessions
  FOR EACH ROW EXECUTE FUNCTION public.sessions_changed();
CREATE TRIGGER sessions_updated AFTER UPDATE ON public.sessions
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.sessions_changed();
CREATE TRIGGER sessions_truncated AFTER TRUNCATE ON public.sessions
  FOR EACH STATEMENT EXECUTE FUNCTION public.everything_changed();

-- Also for writers that switch ordinary triggers off: logical replication, session_replication_role.
ALTER TABLE public.users
  ENABLE ALWAYS TRIGGER users_prepare,   ENABLE ALWAYS TRIGGER users_use_up_id,
  ENABLE ALWAYS TRIGGER users_inserted,  ENABLE ALWAYS TRIGGER users_deleted,
  ENABLE ALWAYS TRIGGER users_updated,   ENABLE ALWAYS TRIGGER users_truncated;
ALTER TABLE public.sessions
  ENABLE ALWAYS TRIGGER sessions_inserted, ENABLE ALWAYS TRIGGER sessions_deleted,
  ENABLE ALWAYS TRIGGER sessions_updated,  ENABLE ALWAYS TRIGGER sessions_truncated;
ALTER TABLE public.user_changes ENABLE ALWAYS TRIGGER user_changes_are_durable;

-- Makes every cache of every instance forget the user, known to it or not, by id and by address.
CREATE FUNCTION public.invalidate_user(id bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO public.user_changes (ckey)
  SELECT convert_to('user:' || invalidate_user.id, 'UTF8')
  UNION ALL
  SELECT convert_to('email:' || u.email_folded, 'UTF8') FROM public.users u WHERE u.id = invalidate_user.id;
END;

-- ------------------------------------------------------------------ how caches know where they are

-- Properties of the deployment, the same for every instance; times in milliseconds.
CREATE TABLE public.cache_settings (
  one                 boolean PRIMARY KEY DEFAULT true CHECK (one),
  staleness_bound_ms  integer NOT NULL CHECK (staleness_bound_ms > 0),   -- T
  instance_lease_ms   integer NOT NULL CHECK (instance_lease_ms > 0),    -- Y
  instance_reap_ms    integer NOT NULL CHECK (instance_reap_ms > instance_lease_ms),  -- X
  change_retention_ms integer NOT NULL CHECK (change_retention_ms > 0),  -- of user_changes and marks
  epoch               bigint NOT NULL DEFAULT 1,
  mac_key             bytea NOT NULL CHECK (octet_length(mac_key) = 32)  -- of the facts in Redis
);
-- gen_random_uuid() has 122 bits of the operating system's generator.
INSERT INTO public.cache_settings
  (staleness_bound_ms, instance_lease_ms, instance_reap_ms, change_retention_ms, mac_key)
VALUES (500, 6000, 15000, 900000,
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- PostgreSQL empties an unlogged table after every crash recovery, promotion and restore of a running
-- server: exactly when it may hand out transaction ids a second time.
CREATE UNLOGGED TABLE public.cache_incarnation (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id  uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO public.cache_incarnation DEFAULT VALUES;

CREATE TABLE public.cache_holds (
  hold_id    uuid NOT NULL,
  ckey       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (hold_id, ckey)
);

CREATE TABLE public.cache_instances (
  id        uuid PRIMARY KEY,
  refreshes bigint NOT NULL DEFAULT 0
);

-- One a minute, in the order of number; valid in its namespace only.
CREATE TABLE public.snapshot_marks (
  number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tau      text NOT NULL,
  snapshot pg_snapshot NOT NULL
);

-- What the namespace has of the tables that are cached, and of the log: identity, storage (TRUNCATE,
-- rewrites) and the transaction that last altered them or their triggers. Null: a trigger is missing or
-- not ENABLE ALWAYS, so changes may go unseen.
CREATE FUNCTION public.cached_tables_state() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  cached   oid[];
  stored   text;
  attached text;
BEGIN
  SELECT array_agg(c.oid), string_agg(concat_ws('.', c.oid, c.relfilenode, c.xmin), ' ' ORDER BY c.relname)
    INTO cached, stored
    FROM pg_class c
   WHERE c.oid IN (to_regclass('public.users'), to_regclass('public.sessions'),
                   to_regclass('public.user_changes'));
  SELECT string_agg(t.xmin::text, '.' ORDER BY t.oid) INTO attached
    FROM pg_trigger t
   WHERE t.tgrelid = ANY (cached) AND t.tgenabled = 'A'
     AND t.tgname IN ('users_prepare', 'users_inserted', 'users_updated', 'users_deleted',
                      'users_truncated', 'sessions_inserted', 'sessions_updated', 'sessions_deleted',
                      'sessions_truncated', 'user_changes_are_durable')
  HAVING count(*) = 10;
  RETURN stored || ' ' || attached;
END $$;

-- The namespace as text: two snapshots or facts may be compared only if they carry the same one.
-- Null: there is none now (a standby; no incarnation; a trigger that is switched off), nothing may be
-- cached; cache_repair() says why, and makes a new incarnation. STABLE: it sees what the statement that
-- calls it sees.
CREATE FUNCTION public.cache_namespace() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT system_identifier FROM pg_control_system())
    || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())
    || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || ' ' || extract(epoch FROM pg_postmaster_start_time())
    || ' ' || (SELECT epoch FROM public.cache_settings)
    || ' ' || (SELECT id FROM public.cache_incarnation)
    || ' ' || public.cached_tables_state();
END $$;

-- Called when there is no namespace. What is still wrong afterwards, for people; null: nothing.
CREATE FUNCTION public.cache_repair() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN 'the server is a standby';
  END IF;
  INSERT INTO public.cache_incarnation DEFAULT VALUES ON CONFLICT DO NOTHING;
  IF public.cached_tables_state() IS NULL THEN
    RETURN 'a trigger of the table users, sessions or user_changes is missing or not ENABLE ALWAYS';
  END IF;
  IF NOT EXISTS (SELECT FROM public.cache_settings) THEN
    RETURN 'the table cache_settings is empty';
  END IF;
  RETURN NULL;
END $$;

-- After changes that run no triggers. Everything that any cache or Redis holds is worthless from then on.
CREATE FUNCTION public.bump_cache_epoch() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO public.user_changes (ckey) VALUES (NULL);
  UPDATE public.cache_settings SET epoch = epoch + 1 RETURNING epoch;
END;

-- ALTER TABLE … USING and its like change rows without triggers. They change the namespace too; where
-- we may have an event trigger, living connections hear of it as well.
CREATE FUNCTION public.cached_table_rewritten() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_event_trigger_table_rewrite_oid() IN (to_regclass('public.users'), to_regclass('public.sessions')) THEN
    PERFORM public.bump_cache_epoch();
  END IF;
END $$;
DO $$
BEGIN
  CREATE EVENT TRIGGER user_manager_rewrites ON table_rewrite
    EXECUTE FUNCTION public.cached_table_rewritten();
  ALTER EVENT TRIGGER user_manager_rewrites ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege THEN
  NULL;  -- superusers only
END $$;

-- Takes a mark unless there is one of the last 50 seconds. True: it did.
CREATE FUNCTION public.take_snapshot_mark() RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
  WITH here AS MATERIALIZED (SELECT public.cache_namespace() AS tau),
  taken AS (
    INSERT INTO public.snapshot_marks (tau, snapshot)
    SELECT here.tau, pg_current_snapshot() FROM here
     WHERE here.tau IS NOT NULL
       AND NOT EXISTS (SELECT FROM public.snapshot_marks m
                        WHERE m.tau = here.tau
                          AND abs(extract(epoch FROM clock_timestamp() - m.taken_at)) < 50)
    RETURNING 1)
  SELECT EXISTS (SELECT FROM taken);
END;

-- Removes marks that are older than the retention (the newest stays) or of another namespace, and
-- changes that every mark sees, at most `batch` of them; how many changes. Also changes whose number
-- this cluster has not handed out yet: they came with a dump of another one.
CREATE FUNCTION public.purge_changes(batch integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here    text := public.cache_namespace();
  horizon xid8;
  purged  bigint;
BEGIN
  IF here IS NULL THEN
    RETURN 0;
  END IF;
  DELETE FROM public.snapshot_marks m
   WHERE m.tau <> here
      OR (m.taken_at < clock_timestamp()
            - (SELECT change_retention_ms FROM public.cache_settings) * interval '1 millisecond'
          AND EXISTS (SELECT FROM public.snapshot_marks n WHERE n.tau = here AND n.number > m.number));
  SELECT pg_snapshot_xmin(m.snapshot) INTO horizon
    FROM public.snapshot_marks m WHERE m.tau = here ORDER BY m.number LIMIT 1;
  DELETE FROM public.user_changes c
   WHERE c.ctid = ANY (ARRAY(
           (SELECT d.ctid FROM public.user_changes d WHERE d.xid < horizon ORDER BY d.xid LIMIT batch)
           UNION ALL
           (SELECT d.ctid FROM public.user_changes d
             WHERE d.xid >= pg_snapshot_xmax(pg_current_snapshot()) AND d.xid <> pg_current_xact_id()
             LIMIT batch)));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;

-- Nobody but the owner may make caches forget, or use the triggers' functions on tables of his own.
REVOKE EXECUTE ON FUNCTION
  public.users_prepare(), public.users_use_up_id(), public.users_changed(), public.sessions_changed(),
  public.everything_changed(), public.user_changes_are_durable(), public.record_changes(text[]),
  public.invalidate_user(bigint), public.cache_repair(), public.bump_cache_epoch(),
  public.cached_table_rewritten(), public.take_snapshot_mark(), public.purge_changes(integer)
FROM PUBLIC;
