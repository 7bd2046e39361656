-- The gate of strict writes and the check of held keys with less work for each write: keys are texts, and
-- a setting is assigned, not selected. docs/consistency.md explains the protocol.

-- As in 0006_strict_writes.sql, with the keys as texts.
DROP FUNCTION public.strict_gate(text, uuid, bytea[], uuid, bigint);
CREATE FUNCTION public.strict_gate(way text, hold uuid, keys text[], instance uuid, epoch bigint)
RETURNS xid8
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here    bigint;
  others  boolean := false;
  held    text[] := keys;
  ignored text;
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
  ELSIF way = 'alone' THEN
    -- A change that waits for a row would keep others from joining: it has to take a slower way.
    ignored := set_config('lock_timeout', '100ms', true);
  ELSE
    SELECT array_agg(convert_from(k, 'UTF8')) INTO held
      FROM unnest(public.take_hold(hold, cardinality(keys), way = 'acknowledged', instance)) AS k;
  END IF;
  ignored := set_config('user_manager.strict_keys', held::text, true);
  RETURN pg_current_xact_id();
END $$;

-- As in 0006_strict_writes.sql, of keys that are texts.
CREATE OR REPLACE FUNCTION public.record_changes(keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  allowed CONSTANT text := current_setting('user_manager.strict_keys', true);
BEGIN
  IF allowed <> '' AND NOT keys <@ allowed::text[] THEN
    RAISE EXCEPTION 'a key of the change is not held' USING ERRCODE = 'UM004';
  END IF;
  PERFORM public.log_changes(keys);
END $$;

-- Behind OR, where a row that was found is not as it was read.
DROP FUNCTION public.require_row(boolean);
CREATE FUNCTION public.refuse_row() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the row is not as it was read' USING ERRCODE = 'UM005';
END $$;

REVOKE EXECUTE ON FUNCTION
  public.strict_gate(text, uuid, text[], uuid, bigint), public.refuse_row()
FROM PUBLIC;
