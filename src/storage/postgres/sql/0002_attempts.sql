-- The limits on guessing: failed sign-ins and sign-ins under way, counted by account and by address.
--
-- The table is a count-min sketch (Cormode, Muthukrishnan, 2005): it is bounded, and it counts any number
-- of names. Each name has a cell in each of four rows of cells. A secret key chooses the cells, so a
-- client cannot choose names that share a cell, and the table reveals no name. A cell counts for all
-- names that share it. The smallest of the four counts is the estimate, which is never below the truth.
--
-- Failures are counted in steps of a minute, and the last 16 steps count. Marks (sign-ins under way) are
-- counted in steps of half a minute, and the last 3 steps count: marks of a dead instance expire.
-- The clock is this server's. Unlogged: a write does not wait for the disk; a crash empties the table.
CREATE UNLOGGED TABLE public.attempt_cells (
  cell      integer PRIMARY KEY,
  step      bigint NOT NULL,  -- of the last element of failures
  mark_step bigint NOT NULL,  -- of the last element of marks
  failures  smallint[] NOT NULL DEFAULT array_fill(0::smallint, ARRAY[16]),
  marks     smallint[] NOT NULL DEFAULT array_fill(0::smallint, ARRAY[3])
) WITH (fillfactor = 60);

-- The counts some steps later, without as many of the oldest ones.
CREATE FUNCTION public.attempts_later(counts smallint[], steps bigint) RETURNS smallint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE
    WHEN steps <= 0 THEN counts
    ELSE counts[least(steps, cardinality(counts))::integer + 1 :]
         || array_fill(0::smallint, ARRAY[least(steps, cardinality(counts))::integer])
  END;
END;

-- The counts with `more` added to the count of `ago` steps before the last one, if that step still counts.
CREATE FUNCTION public.attempts_with(counts smallint[], ago bigint, more integer) RETURNS smallint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  place CONSTANT integer := cardinality(counts) - greatest(-1, least(ago, cardinality(counts)));
BEGIN
  IF place BETWEEN 1 AND cardinality(counts) THEN
    counts[place] := greatest(0, least(counts[place] + more, 30000));
  END IF;
  RETURN counts;
END $$;

-- Adds the missing ones of these cells and locks all of them until the end of the transaction, always in
-- the same order.
CREATE FUNCTION public.lock_attempts(cells integer[], step_now bigint, mark_now bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  locked integer;
BEGIN
  LOOP
    INSERT INTO public.attempt_cells (cell, step, mark_step)
    SELECT wanted, step_now, mark_now FROM unnest(cells) AS wanted ORDER BY wanted
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM public.attempt_cells c WHERE c.cell = ANY (cells) ORDER BY c.cell FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    EXIT WHEN locked = cardinality(cells);  -- else one was purged in between
  END LOOP;
END $$;

-- Takes a place for a sign-in. The answers:
--
--   taken    the sign-in has a place; `number` is the argument `taken` of end_attempt()
--   busy     failures and sign-ins under way together reach a limit
--   refused  the failures alone reach a limit, for another `number` milliseconds
--
-- Tests give now_ms.
CREATE FUNCTION public.take_attempt(
  account integer[], address integer[], account_limit integer, address_limit integer,
  now_ms bigint DEFAULT NULL, OUT answer text, OUT number bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at_ms    CONSTANT bigint := coalesce(now_ms, floor(extract(epoch FROM clock_timestamp()) * 1000));
  step_now CONSTANT bigint := at_ms / 60000;
  mark_now CONSTANT bigint := at_ms / 30000;
  full_up  boolean;
BEGIN
  PERFORM public.lock_attempts(account || address, step_now, mark_now);
  WITH present AS (
    SELECT c.cell = ANY (account) AS of_account,
           CASE WHEN c.cell = ANY (account) THEN account_limit ELSE address_limit END AS at_most,
           public.attempts_later(c.failures, step_now - c.step) AS failures,
           public.attempts_later(c.marks, mark_now - c.mark_step) AS marks
      FROM public.attempt_cells c WHERE c.cell = ANY (account || address)),
  counted AS (
    SELECT p.of_account, p.at_most, p.failures,
           (SELECT sum(f) FROM unnest(p.failures) AS f) AS failed,
           (SELECT sum(m) FROM unnest(p.marks) AS m) AS under_way
      FROM present p),
  patient AS (
    SELECT c.*, CASE WHEN c.failed >= c.at_most THEN
             (SELECT min(later) FROM generate_series(1, 16) AS later
               WHERE c.at_most > (SELECT coalesce(sum(f), 0) FROM unnest(c.failures[later + 1 :]) AS f))
             END AS steps
      FROM counted c),
  estimates AS (
    SELECT p.at_most, min(p.failed) AS failed, min(p.failed + p.under_way) AS total, min(p.steps) AS steps
      FROM patient p GROUP BY p.of_account, p.at_most)
  SELECT max(e.steps) FILTER (WHERE e.failed >= e.at_most) * 60000 - at_ms % 60000,
         bool_or(e.total >= e.at_most)
    INTO number, full_up
    FROM estimates e;
  IF number IS NOT NULL THEN
    answer := 'refused';
  ELSIF full_up THEN
    answer := 'busy';
  ELSE
    answer := 'taken';
    number := mark_now;
    UPDATE public.attempt_cells c
       SET marks = public.attempts_with(public.attempts_later(c.marks, mark_now - c.mark_step), 0, 1),
           mark_step = greatest(c.mark_step, mark_now)
     WHERE c.cell = ANY (account || address);
  END IF;
END $$;

-- Ends a sign-in that had a place. taken: the number of take_attempt().
CREATE FUNCTION public.end_attempt(
  account integer[], address integer[], taken bigint, has_failed boolean, now_ms bigint DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at_ms    CONSTANT bigint := coalesce(now_ms, floor(extract(epoch FROM clock_timestamp()) * 1000));
  step_now CONSTANT bigint := at_ms / 60000;
  mark_now CONSTANT bigint := at_ms / 30000;
BEGIN
  PERFORM public.lock_attempts(account || address, step_now, mark_now);
  UPDATE public.attempt_cells c
     SET marks = public.attempts_with(public.attempts_later(c.marks, mark_now - c.mark_step),
                                      greatest(c.mark_step, mark_now) - taken, -1),
         mark_step = greatest(c.mark_step, mark_now),
         failures = public.attempts_with(public.attempts_later(c.failures, step_now - c.step),
                                         0, has_failed::integer),
         step = greatest(c.step, step_now)
   WHERE c.cell = ANY (account || address);
END $$;

-- Removes at most `batch` cells without counts, and cells that are ahead of the clock because it was set
-- back. Returns their number.
CREATE FUNCTION public.purge_attempts(batch integer, now_ms bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at_ms    CONSTANT bigint := coalesce(now_ms, floor(extract(epoch FROM clock_timestamp()) * 1000));
  step_now CONSTANT bigint := at_ms / 60000;
  mark_now CONSTANT bigint := at_ms / 30000;
  purged   bigint;
BEGIN
  DELETE FROM public.attempt_cells
   WHERE ctid = ANY (ARRAY(
           SELECT c.ctid FROM public.attempt_cells c
            WHERE (c.step <= step_now - 16 AND c.mark_step <= mark_now - 3)
               OR c.step > step_now + 1 OR c.mark_step > mark_now + 1
            LIMIT batch FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;

REVOKE EXECUTE ON FUNCTION
  public.lock_attempts(integer[], bigint, bigint),
  public.take_attempt(integer[], integer[], integer, integer, bigint),
  public.end_attempt(integer[], integer[], bigint, boolean, bigint), public.purge_attempts(integer, bigint)
FROM PUBLIC;
