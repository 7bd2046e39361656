-- The state that the caches of all instances share: settings, the registry of instances, and the
-- namespace, which says where an instance's knowledge is valid. docs/consistency.md explains the protocol.

-- Properties of the deployment, the same for every instance; times in milliseconds.
CREATE TABLE public.cache_settings (
  one                 boolean PRIMARY KEY DEFAULT true CHECK (one),
  staleness_bound_ms  integer NOT NULL CHECK (staleness_bound_ms > 0),   -- T
  instance_lease_ms   integer NOT NULL CHECK (instance_lease_ms > 0),    -- Y
  instance_reap_ms    integer NOT NULL CHECK (instance_reap_ms > instance_lease_ms),  -- X
  change_retention_ms integer NOT NULL CHECK (change_retention_ms > 0),  -- of user_changes and marks
  epoch               bigint NOT NULL DEFAULT 1,
  -- Seals the facts in Redis, and chooses the cells of attempt_cells.
  mac_key             bytea NOT NULL CHECK (octet_length(mac_key) = 32)
);
-- gen_random_uuid() takes 122 bits from the operating system's generator.
INSERT INTO public.cache_settings
  (staleness_bound_ms, instance_lease_ms, instance_reap_ms, change_retention_ms, mac_key)
VALUES (500, 6000, 15000, 900000,
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- PostgreSQL empties an unlogged table after every crash recovery, promotion and restore of a running
-- server. These are exactly the events after which it may hand out transaction ids a second time.
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

-- The triggers that the protocol needs. Without them changes go unseen, and ids are used again.
CREATE FUNCTION public.cache_triggers() RETURNS name[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT ARRAY['users_prepare', 'users_use_up_id',
               'users_inserted', 'users_updated', 'users_deleted', 'users_truncated',
               'sessions_inserted', 'sessions_updated', 'sessions_deleted', 'sessions_truncated',
               'signing_keys_changed', 'signing_keys_truncated', 'user_changes_are_durable']::name[];
END;

-- The cached tables and the tables of the log. A missing table is null.
CREATE FUNCTION public.cached_tables() RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY[to_regclass('public.users'), to_regclass('public.sessions'),
               to_regclass('public.signing_keys'), to_regclass('public.user_changes'),
               to_regclass('public.purge_horizon')]::oid[];
END $$;

-- The part of the namespace that describes these tables: identity, storage (TRUNCATE, rewrites) and the
-- transaction that last altered them or their triggers. Null: a table or a trigger is missing, or a
-- trigger is not ENABLE ALWAYS, so changes may go unseen.
CREATE FUNCTION public.cached_tables_state() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  cached   CONSTANT oid[] := public.cached_tables();
  wanted   CONSTANT name[] := public.cache_triggers();
  stored   text;
  attached text;
BEGIN
  SELECT string_agg(concat_ws('.', c.oid, c.relfilenode, c.xmin), ' ' ORDER BY c.relname) INTO stored
    FROM pg_class c
   WHERE c.oid = ANY (cached)
  HAVING count(*) = cardinality(cached);
  SELECT string_agg(t.xmin::text, '.' ORDER BY t.oid) INTO attached
    FROM pg_trigger t
   WHERE t.tgrelid = ANY (cached) AND t.tgenabled = 'A' AND t.tgname = ANY (wanted)
  HAVING count(*) = cardinality(wanted);
  RETURN stored || ' ' || attached;
END $$;

-- The namespace as text. Snapshots and facts may be compared only if they carry the same namespace.
-- Null: there is no namespace now, and nothing may be cached. The reason is a standby, a missing
-- incarnation, a trigger that is switched off, or a restore that has not finished; cache_repair() names
-- it. Every new connection calls this function, so it never fails. STABLE: it uses the snapshot of the
-- statement that calls it.
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
    || ' ' || (SELECT min(epoch) FROM public.cache_settings HAVING count(*) = 1)
    || ' ' || (SELECT min(id::text) FROM public.cache_incarnation HAVING count(*) = 1)
    || ' ' || public.cached_tables_state();
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

-- Makes a new incarnation if only that is missing; called when there is no namespace. Returns the
-- remaining fault as a text for operators; null: none. A dump that is being restored brings its row of
-- cache_incarnation, and only the primary key prevents a second row. So the schema must be whole first.
CREATE FUNCTION public.cache_repair() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN 'the server is a standby';
  END IF;
  IF array_position(public.cached_tables(), NULL) IS NOT NULL THEN
    RETURN 'tables are missing';
  END IF;
  IF public.cached_tables_state() IS NULL THEN
    RETURN (
      SELECT concat('these triggers are not ENABLE ALWAYS: ', string_agg(wanted, ', '))
        FROM unnest(public.cache_triggers()) AS wanted
       WHERE NOT EXISTS (SELECT FROM pg_trigger t
                          WHERE t.tgname = wanted AND t.tgenabled = 'A'
                            AND t.tgrelid = ANY (public.cached_tables())));
  END IF;
  IF NOT EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = to_regclass('public.cache_incarnation') AND i.indisprimary) THEN
    RETURN 'the table cache_incarnation has no primary key';
  END IF;
  IF (SELECT count(*) FROM public.cache_settings) <> 1 THEN
    RETURN 'the table cache_settings has not one row';
  END IF;
  LOCK TABLE public.cache_incarnation IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO public.cache_incarnation (id)
  SELECT gen_random_uuid() WHERE NOT EXISTS (SELECT FROM public.cache_incarnation);
  RETURN NULL;
END $$;

-- To be called after changes that ran no triggers. It invalidates everything in all caches and in Redis.
CREATE FUNCTION public.bump_cache_epoch() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO public.user_changes (ckey) VALUES (NULL);
  UPDATE public.cache_settings SET epoch = epoch + 1 RETURNING epoch;
END;

-- ALTER TABLE … USING and similar statements change rows without running triggers. They change the
-- namespace, too. The event trigger, which only a superuser can make, tells open connections as well.
CREATE FUNCTION public.cached_table_rewritten() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_event_trigger_table_rewrite_oid() = ANY (public.cached_tables()) THEN
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

-- Only the owner may make caches forget.
REVOKE EXECUTE ON FUNCTION
  public.cache_repair(), public.bump_cache_epoch(), public.cached_table_rewritten()
FROM PUBLIC;
