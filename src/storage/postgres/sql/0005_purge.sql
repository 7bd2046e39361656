-- The purge: marks say how far the log of changes is needed, the horizon says how far it was removed.
-- docs/consistency.md and docs/adr/0007-horizon-of-the-purge.md explain the protocol.

-- One snapshot a minute, in the order of number; each is valid in its namespace only.
CREATE TABLE public.snapshot_marks (
  number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tau      text NOT NULL,
  snapshot pg_snapshot NOT NULL
);

-- Changes that this snapshot sees may have been removed: see purge_changes(). The table always has one
-- row; without it nothing is purged.
CREATE TABLE public.purge_horizon (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  tau      text NOT NULL,
  snapshot pg_snapshot NOT NULL
);
INSERT INTO public.purge_horizon (tau, snapshot) VALUES ('', pg_current_snapshot());

-- Whether `later` sees everything that `earlier` sees.
CREATE FUNCTION public.snapshot_covers(later pg_snapshot, earlier pg_snapshot) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT pg_snapshot_xmax(later) >= pg_snapshot_xmax(earlier)
     AND NOT EXISTS (SELECT FROM pg_snapshot_xip(later) AS running
                      WHERE pg_visible_in_snapshot(running, earlier));
END;

-- Takes a mark unless the last 50 seconds have one; returns whether it did. The lock on the row of
-- purge_horizon makes marks and purges take turns. A call that does not get the lock returns, because
-- every instance calls again later. The lock and the INSERT are two statements, so the INSERT sees all
-- earlier marks, and the order of the marks is that of their snapshots.
CREATE FUNCTION public.take_snapshot_mark() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.purge_horizon FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  WITH here AS MATERIALIZED (SELECT public.cache_namespace() AS tau)
  INSERT INTO public.snapshot_marks (tau, snapshot)
  SELECT here.tau, pg_current_snapshot() FROM here
   WHERE here.tau IS NOT NULL
     AND NOT EXISTS (SELECT FROM public.snapshot_marks m
                      WHERE m.tau = here.tau
                        AND abs(extract(epoch FROM clock_timestamp() - m.taken_at)) < 50);
  RETURN FOUND;
END $$;

-- Removes the marks that are older than the retention (the newest stays) or belong to another namespace.
-- Removes at most `batch` of the changes that the oldest mark sees, and of the changes with a transaction
-- id that this cluster has not handed out yet: those came with a dump of another cluster. Returns the
-- number of removed changes. A forgotten transaction in the cluster keeps only its own changes.
--
-- Why no poll misses a change. The snapshot in purge_horizon sees every row that a purge removes. The
-- purge writes that snapshot in its own transaction. The horizon only grows: the next one covers it, in
-- whatever order marks become visible. A poll reads the horizon and the changes in one snapshot. If that
-- snapshot sees the purge, the poll reads the horizon of that purge or a later one. If it does not see
-- the purge, the removed rows are still visible to the poll. A poll asks for the changes since a snapshot
-- S. If S covers the horizon, the poll needs none of the removed rows; otherwise the instance starts from
-- nothing. So "visible in the horizon" is enough for removal, and xid < its xmin is not needed: "covers"
-- compares the same sets.
--
-- The horizon belongs to its namespace. A new namespace has none until its first purge: all its snapshots
-- are later than those of the old namespace, and cover the rows that the old purges removed.
CREATE FUNCTION public.purge_changes(batch integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here    text;
  behind  pg_snapshot;
  horizon pg_snapshot;
  purged  bigint;
BEGIN
  PERFORM FROM public.purge_horizon FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  here := public.cache_namespace();  -- only now: another purge may have been in a newer one
  IF here IS NULL THEN
    RETURN 0;
  END IF;
  DELETE FROM public.snapshot_marks m
   WHERE m.tau <> here
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
  DELETE FROM public.user_changes c
   WHERE c.ctid = ANY (ARRAY(
           (SELECT d.ctid FROM public.user_changes d
             WHERE d.xid < pg_snapshot_xmax(horizon) AND pg_visible_in_snapshot(d.xid, horizon)
             ORDER BY d.xid LIMIT batch)
           UNION ALL
           (SELECT d.ctid FROM public.user_changes d
             WHERE d.xid >= pg_snapshot_xmax(pg_current_snapshot()) AND d.xid <> pg_current_xact_id()
             LIMIT batch)));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;

-- Only the owner may purge.
REVOKE EXECUTE ON FUNCTION public.take_snapshot_mark(), public.purge_changes(integer) FROM PUBLIC;
