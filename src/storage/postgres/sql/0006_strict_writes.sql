-- Strict writes on many instances: holds, acknowledgements, the registry that writers read, and the gate
-- inside the writing transaction. docs/consistency.md explains the protocol. Transaction ids: an unlogged
-- table is emptied by exactly the events after which PostgreSQL may hand out an id a second time.

-- ------------------------------------------------------------------------------------------- deployment

-- former_staleness_bound_ms: the largest T that an instance with a lease can still run with.
ALTER TABLE public.cache_settings
  ADD COLUMN mode text NOT NULL DEFAULT 'strict' CONSTRAINT cache_settings_mode CHECK (mode IN ('strict', 'bounded')),
  ADD COLUMN former_staleness_bound_ms integer CONSTRAINT cache_settings_former CHECK (former_staleness_bound_ms > 0);
-- A strict write may have to wait for T, so a longer one stays with bounded writes.
UPDATE public.cache_settings
   SET former_staleness_bound_ms = staleness_bound_ms,
       mode = CASE WHEN staleness_bound_ms > 1000 THEN 'bounded' ELSE 'strict' END;
ALTER TABLE public.cache_settings ALTER COLUMN former_staleness_bound_ms SET NOT NULL;

-- ------------------------------------------------------------------------ holds, instances, acknowledgements

-- vacuum_truncate would take a lock that a poll waits for. The thresholds do not depend on the number of
-- rows, which is near zero after each vacuum.
DROP TABLE public.cache_holds;
CREATE UNLOGGED TABLE public.cache_holds (
  hold_id uuid NOT NULL,   -- random, never from a sequence
  ckey    bytea NOT NULL,
  xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (hold_id, ckey)
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX cache_holds_xid ON public.cache_holds (xid);

-- name: for people and metrics. protocol: 1 acknowledges holds; 0 does not, which makes every write slow.
DROP TABLE public.cache_instances;
CREATE UNLOGGED TABLE public.cache_instances (
  id        uuid PRIMARY KEY,
  refreshes bigint NOT NULL DEFAULT 0,
  protocol  integer NOT NULL DEFAULT 0,
  name      text NOT NULL DEFAULT ''
) WITH (vacuum_truncate = off, fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- The instance `id` has applied a poll with the snapshot `seen`. Rows are inserted and deleted, never
-- updated: the versions of an updated row pile up under any transaction that stays open.
CREATE UNLOGGED TABLE public.cache_acks (
  xid  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id   uuid NOT NULL,
  seen pg_snapshot NOT NULL
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX cache_acks_xid ON public.cache_acks (xid);

-- Registers an instance under a new id and removes its former rows. The lock lets no instance begin to
-- cache between the gate of a writer that is alone and its commit. The session keeps an advisory lock on
-- its id: whoever gets that lock knows that the session has ended (see session_has_ended). Returns the
-- number of other instances.
CREATE FUNCTION public.join_instances(new_id uuid, former_ids uuid[], protocol integer, name text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE public.cache_instances IN EXCLUSIVE MODE;
  PERFORM pg_advisory_unlock_all();
  PERFORM pg_advisory_lock(hashtextextended(new_id::text, 0));
  DELETE FROM public.cache_instances i WHERE i.id = ANY (former_ids);
  INSERT INTO public.cache_instances (id, protocol, name)
  VALUES (new_id, join_instances.protocol, join_instances.name);
  RETURN (SELECT count(*) FROM public.cache_instances i WHERE i.id <> new_id);
END $$;

CREATE FUNCTION public.session_has_ended(id uuid) RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp
RETURN pg_try_advisory_xact_lock_shared(hashtextextended(id::text, 0));

-- A: inserts holds, all by one transaction, whose id it returns. It waits for no disk and no standby.
CREATE FUNCTION public.place_holds(hold_ids uuid[], keys bytea[]) RETURNS xid8
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO public.cache_holds (hold_id, ckey) SELECT * FROM unnest(hold_ids, keys) ON CONFLICT DO NOTHING;
  RETURN pg_current_xact_id();
END $$;

-- Removes holds whose writes were abandoned, except the rows that a gate is deleting at this moment.
CREATE FUNCTION public.drop_holds(hold_ids uuid[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  dropped bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM public.cache_holds h
   WHERE h.ctid = ANY (ARRAY(SELECT d.ctid FROM public.cache_holds d
                              WHERE d.hold_id = ANY (hold_ids) FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS dropped = ROW_COUNT;
  RETURN dropped;
END $$;

-- Removes the hold of a write whose outcome is not known, and returns the number of its rows. As many as
-- the write held: its gate can never pass. Waits for a gate that is under way, up to the time limit of
-- the statement.
CREATE FUNCTION public.withdraw_hold(hold uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  dropped bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '250ms', true);
  DELETE FROM public.cache_holds h WHERE h.hold_id = hold;
  GET DIAGNOSTICS dropped = ROW_COUNT;
  RETURN dropped;
END $$;

-- Removes acknowledgements that no gate needs any more: those that are older than every hold. A hold that
-- this statement does not see yet is not seen by the acknowledgements that it sees.
CREATE FUNCTION public.purge_acks() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  purged bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM public.cache_acks a
   WHERE a.xid < coalesce((SELECT h.xid FROM public.cache_holds h ORDER BY h.xid LIMIT 1),
                          pg_snapshot_xmax(pg_current_snapshot()));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;

-- ----------------------------------------------------------------------------------------------- the gate

-- The first statement of a strict write. It lets the transaction go on only if no instance can answer
-- the keys from memory until the transaction has ended, and returns the id of the transaction. VOLATILE:
-- each statement has a snapshot of its own, so the registry is read after A was committed.
--
--   way           alone, acknowledged or waited; or bounded: the deployment's mode is the only condition
--   hold          null if alone or bounded
--   keys          the keys of the hold, or those that the process holds itself if alone
--   instance      the caller's own row in the registry; null: it has none
--   epoch         that of the namespace for which the caller decided
--
-- UM001 another epoch; UM002 rows of the hold are gone; UM003 not yet: an instance has not acknowledged
-- the hold, or is registered although the writer takes itself to be alone (55P03: one is joining).
CREATE FUNCTION public.strict_gate(way text, hold uuid, keys bytea[], instance uuid, epoch bigint)
RETURNS xid8
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here   bigint;
  others boolean := false;
  held   bytea[] := keys;
BEGIN
  IF way = 'alone' THEN
    -- Joining needs a lock that conflicts with this one, until the end of the transaction.
    LOCK TABLE public.cache_instances IN ROW SHARE MODE NOWAIT;
    SELECT s.epoch, EXISTS (SELECT FROM public.cache_instances i WHERE i.id IS DISTINCT FROM instance)
      INTO here, others FROM public.cache_settings s;
  ELSE
    SELECT s.epoch INTO here FROM public.cache_settings s;
  END IF;
  IF here IS DISTINCT FROM epoch THEN
    RAISE EXCEPTION 'the epoch of the deployment has changed' USING ERRCODE = 'UM001';
  ELSIF others THEN
    RAISE EXCEPTION 'another instance is registered' USING ERRCODE = 'UM003';
  ELSIF way = 'bounded' THEN
    RETURN pg_current_xact_id();
  ELSIF way <> 'alone' THEN
    held := public.take_hold(hold, cardinality(keys), way = 'acknowledged', instance);
  END IF;
  -- A change that is alone and waits for a row would keep others from joining: it has to take a slower way.
  PERFORM set_config('user_manager.strict_keys',
                     (SELECT string_agg(encode(k, 'hex'), ' ') FROM unnest(held) AS k), true),
          CASE WHEN way = 'alone' THEN set_config('lock_timeout', '100ms', true) END;
  RETURN pg_current_xact_id();
END $$;

-- The fence: without its hold a transaction does not commit, and nobody else can use the hold. Returns its
-- keys. `acknowledged`: by every instance but this one.
CREATE FUNCTION public.take_hold(hold uuid, key_count integer, acknowledged boolean, instance uuid) RETURNS bytea[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  held bytea[];
  xids xid8[];
BEGIN
  WITH gone AS (DELETE FROM public.cache_holds h WHERE h.hold_id = hold RETURNING h.ckey, h.xid)
  SELECT array_agg(g.ckey), array_agg(DISTINCT g.xid) INTO held, xids FROM gone g;
  IF coalesce(cardinality(held), 0) <> key_count THEN
    RAISE EXCEPTION 'the hold is gone' USING ERRCODE = 'UM002';
  END IF;
  IF acknowledged AND EXISTS (
       SELECT FROM public.cache_instances i
        WHERE i.id IS DISTINCT FROM instance
          AND NOT EXISTS (
                SELECT FROM public.cache_acks a
                 WHERE a.id = i.id
                   AND a.xid > (SELECT max(x) FROM unnest(xids) AS x)
                   AND NOT EXISTS (SELECT FROM unnest(xids) AS x
                                    WHERE NOT pg_visible_in_snapshot(x, a.seen)))) THEN
    RAISE EXCEPTION 'an instance has not acknowledged the hold' USING ERRCODE = 'UM003';
  END IF;
  RETURN held;
END $$;

-- The registry, and the acknowledgements with a later id than this one. By index, whatever the planner
-- believes: dead rows pile up under a transaction that stays open.
CREATE FUNCTION public.acknowledgements(since xid8)
RETURNS TABLE (id uuid, xid xid8, seen pg_snapshot, name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  RETURN QUERY
  SELECT i.id, NULL::xid8, NULL::pg_snapshot, i.name FROM public.cache_instances i
  UNION ALL SELECT a.id, a.xid, a.seen, NULL::text FROM public.cache_acks a WHERE a.xid > since;
END $$;

-- For a statement that changes one row by compare-and-set: raises UM005 if there was none.
CREATE FUNCTION public.require_row(is_there boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF is_there THEN
    RETURN true;
  END IF;
  RAISE EXCEPTION 'the row is not as it was read' USING ERRCODE = 'UM005';
END $$;

-- ------------------------------------------------------------------------------------- rules over many rows

-- Locks of the program. Only the owner of the schema can take them; an advisory lock could be held for
-- ever by every role that may connect.
CREATE TABLE public.rule_locks (
  name text PRIMARY KEY
);
INSERT INTO public.rule_locks VALUES ('administrators'), ('ids'), ('signing keys');

-- Waits for the lock; the end of the transaction releases it.
CREATE FUNCTION public.take_rule_lock(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.rule_locks r WHERE r.name = take_rule_lock.name FOR NO KEY UPDATE;
END $$;

-- Raises UM006 unless an active administrator other than this user exists. Transactions that take the
-- role from a user take turns, and each sees what the one before it did.
CREATE FUNCTION public.keep_an_admin(id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.take_rule_lock('administrators');
  IF NOT EXISTS (SELECT FROM ONLY public.users u
                  WHERE u.role = 'admin' AND u.is_active AND u.id <> keep_an_admin.id) THEN
    RAISE EXCEPTION 'no other administrator' USING ERRCODE = 'UM006';
  END IF;
END $$;

-- As in 0001_users.sql, with a lock that only the owner can take.
CREATE OR REPLACE FUNCTION public.users_use_up_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gap bigint := NEW.id - (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.users_id_seq);
BEGIN
  IF gap > 1000 THEN
    PERFORM public.take_rule_lock('ids');
    PERFORM setval('public.users_id_seq', NEW.id) FROM public.users_id_seq WHERE last_value < NEW.id;
  ELSIF gap > 0 THEN
    WHILE nextval('public.users_id_seq') < NEW.id LOOP
    END LOOP;
  END IF;
  RETURN NULL;
END $$;

-- As in 0001_users.sql, for rows of the table alone: rows of a table that inherits from it are no users.
CREATE OR REPLACE FUNCTION public.rehash_user(id bigint, old_hash text, new_hash text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done boolean;
BEGIN
  INSERT INTO public.user_rehashes (user_id) VALUES (rehash_user.id);
  UPDATE ONLY public.users SET password_hash = new_hash
   WHERE users.id = rehash_user.id AND password_hash = old_hash;
  done := FOUND;
  DELETE FROM public.user_rehashes r WHERE r.xid = pg_current_xact_id() AND r.user_id = rehash_user.id;
  RETURN done;
END $$;

-- ------------------------------------------------------------------------------------------- the triggers

-- A transaction that passed the gate touches no key outside its hold. The setting can only forbid; a
-- transaction without a gate (an import, psql) has none. Both functions are called by functions that set
-- the search_path.
ALTER FUNCTION public.record_changes(text[]) RENAME TO log_changes;
ALTER FUNCTION public.log_changes(text[]) RESET search_path;
CREATE FUNCTION public.record_changes(keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  allowed CONSTANT text := current_setting('user_manager.strict_keys', true);
  key text;
BEGIN
  IF allowed <> '' THEN
    FOREACH key IN ARRAY keys LOOP
      IF encode(convert_to(key, 'UTF8'), 'hex') <> ALL (string_to_array(allowed, ' ')) THEN
        RAISE EXCEPTION 'the key % is not held', key USING ERRCODE = 'UM004';
      END IF;
    END LOOP;
  END IF;
  PERFORM public.log_changes(keys);
END $$;

-- As in 0003_change_feed.sql, and: sessions that a deleted user takes along need no hold, because whether
-- they are accepted depends on the key of the user, which is held. (A cascade is not visible in
-- pg_trigger_depth(): its triggers fire afterwards.)
CREATE OR REPLACE FUNCTION public.sessions_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('user_manager.strict_keys', true) <> ''
     AND NOT EXISTS (SELECT FROM ONLY public.users u WHERE u.id = OLD.user_id) THEN
    PERFORM public.log_changes(ARRAY['session:' || OLD.id]);
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM public.record_changes(ARRAY['session:' || NEW.id]);
  ELSIF TG_OP = 'DELETE' OR NEW.id = OLD.id THEN
    PERFORM public.record_changes(ARRAY['session:' || OLD.id]);
  ELSE
    PERFORM public.record_changes(ARRAY['session:' || OLD.id, 'session:' || NEW.id]);
  END IF;
  RETURN NULL;
END $$;

DROP FUNCTION public.invalidate_user(bigint);
-- Makes every cache of every instance forget the user, by id and by the address that the user has. The
-- user need not exist.
CREATE FUNCTION public.invalidate_user(id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.record_changes(
    ARRAY['user:' || invalidate_user.id]
    || ARRAY(SELECT 'email:' || u.email_folded FROM ONLY public.users u WHERE u.id = invalidate_user.id));
END $$;

-- ------------------------------------------------------------------------------------------ the namespace

-- What cannot change under a living connection: cluster, database, timeline, start of the server. Null: a
-- standby.
CREATE FUNCTION public.cache_server() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT system_identifier FROM pg_control_system())
    || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())
    || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || ' ' || extract(epoch FROM pg_postmaster_start_time());
END $$;

-- The other parts: settings, incarnation, and identity, storage and triggers of the tables. Null: there is
-- no namespace now.
CREATE FUNCTION public.cache_state() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT min(concat_ws(' ', s.epoch, s.mode, s.staleness_bound_ms, s.instance_lease_ms,
                               s.instance_reap_ms))
            FROM public.cache_settings s HAVING count(*) = 1)
    || ' ' || (SELECT min(id::text) FROM public.cache_incarnation HAVING count(*) = 1)
    || ' ' || public.cached_tables_state();
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

-- As in 0004_cache.sql, of these two parts.
CREATE OR REPLACE FUNCTION public.cache_namespace() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN public.cache_server() || ' ' || public.cache_state();
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

-- As in 0004_cache.sql, with a step that nobody can repeat: a virtual machine that was set back in time and
-- is told of it by a new epoch must not come to one that it has had before.
CREATE OR REPLACE FUNCTION public.bump_cache_epoch() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO public.user_changes (ckey) VALUES (NULL);
  UPDATE public.cache_settings SET epoch = epoch + 1 + (random() * 1000000)::bigint RETURNING epoch;
END;

-- -------------------------------------------------------------------------------------------- the purge

-- As in 0005_purge.sql, with two differences. A mark from the future (the clock was ahead) is removed like
-- an old one. A batch skips what earlier batches of the caller removed, because an open transaction keeps
-- dead entries in the index, and a batch that walks them again takes longer each time:
--
--   done    the horizon up to which the caller's batches have removed everything; null: none
--   since   where the caller's last batch up to the present horizon ended; null: it is the first
--
-- Returns the number of removed changes, the horizon, and `since` for the next batch.
DROP FUNCTION public.purge_changes(integer);
CREATE FUNCTION public.purge_changes(
  batch integer, done pg_snapshot, since xid8, OUT purged bigint, OUT horizon pg_snapshot, OUT next_since xid8)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  here   text;
  behind pg_snapshot;
BEGIN
  purged := 0;
  horizon := done;
  PERFORM FROM public.purge_horizon FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  here := public.cache_namespace();  -- only now: another purge may have been in a newer one
  IF here IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM public.snapshot_marks m
   WHERE m.tau <> here
      OR m.taken_at > clock_timestamp() + interval '1 minute'
      OR (m.taken_at < clock_timestamp()
            - (SELECT change_retention_ms FROM public.cache_settings) * interval '1 millisecond'
          AND EXISTS (SELECT FROM public.snapshot_marks n WHERE n.tau = here AND n.number > m.number));
  SELECT h.snapshot INTO behind FROM public.purge_horizon h WHERE h.tau = here;
  SELECT m.snapshot INTO horizon
    FROM public.snapshot_marks m
   WHERE m.tau = here AND (behind IS NULL OR public.snapshot_covers(m.snapshot, behind))
   ORDER BY m.number LIMIT 1;
  IF horizon IS NULL THEN
    horizon := behind;
  ELSIF horizon::text IS DISTINCT FROM behind::text THEN
    UPDATE public.purge_horizon SET tau = here, snapshot = horizon;
  END IF;
  WITH gone AS (
    DELETE FROM public.user_changes c
     WHERE c.ctid = ANY (ARRAY(
             (SELECT d.ctid FROM public.user_changes d
               WHERE d.xid >= coalesce(since, pg_snapshot_xmax(done), '0'::xid8)
                 AND d.xid < pg_snapshot_xmax(horizon) AND pg_visible_in_snapshot(d.xid, horizon)
               ORDER BY d.xid LIMIT batch)
             UNION ALL
             (SELECT d.ctid FROM public.user_changes d
               WHERE d.xid = ANY (ARRAY(SELECT pg_snapshot_xip(done)))
                 AND d.xid < pg_snapshot_xmax(horizon) AND pg_visible_in_snapshot(d.xid, horizon) LIMIT batch)
             UNION ALL
             (SELECT d.ctid FROM public.user_changes d
               WHERE d.xid >= pg_snapshot_xmax(pg_current_snapshot()) AND d.xid <> pg_current_xact_id()
               LIMIT batch)))
    RETURNING c.xid)
  SELECT count(*), max(g.xid) FILTER (WHERE g.xid < pg_snapshot_xmax(horizon)) INTO purged, next_since FROM gone g;
  next_since := coalesce(next_since, since);
END $$;

-- Only the owner may take part in the protocol, or use the triggers' functions on other tables.
REVOKE EXECUTE ON FUNCTION
  public.join_instances(uuid, uuid[], integer, text), public.session_has_ended(uuid),
  public.place_holds(uuid[], bytea[]), public.drop_holds(uuid[]), public.withdraw_hold(uuid), public.purge_acks(),
  public.strict_gate(text, uuid, bytea[], uuid, bigint), public.take_hold(uuid, integer, boolean, uuid),
  public.acknowledgements(xid8),
  public.require_row(boolean),
  public.take_rule_lock(text), public.keep_an_admin(bigint), public.record_changes(text[]),
  public.invalidate_user(bigint),
  public.purge_changes(integer, pg_snapshot, xid8)
FROM PUBLIC;
