-- The log of changes, and the triggers that write it. docs/consistency.md explains the protocol.

-- One row for each cache key that a transaction touched: user:<id>, email:<folded>, session:<id>, and
-- signing_keys for all signing keys together. ckey null: every key. Only purge_changes() removes rows.
CREATE TABLE public.user_changes (
  xid  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  ckey bytea
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX user_changes_xid ON public.user_changes (xid);
-- Answers whether a transaction has recorded already that everything changed.
CREATE INDEX user_changes_of_everything ON public.user_changes (xid) WHERE ckey IS NULL;

-- A crash undoes changes that are not on disk, and caches would keep them. So a transaction that switched
-- synchronous_commit off gets it back if it changes cached rows. The trigger runs at commit, after all
-- statements of the transaction.
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

-- Records that this transaction touches `keys`. The setting user_manager.touched counts the keys of this
-- transaction (a savepoint that is rolled back takes its part of the count along). Beyond the limit one
-- row for everything stands for all keys that follow. Any session may set user_manager.touched: a value
-- that is too small costs rows, and beyond the limit no key is left out unless the row for everything
-- exists.
CREATE FUNCTION public.record_changes(keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key_limit CONSTANT integer := 5000;
  counted   CONSTANT text := current_setting('user_manager.touched', true);
  touched   integer := 0;
BEGIN
  IF counted ~ '^[0-9]{1,5}$' THEN
    touched := counted;
  END IF;
  IF touched <= key_limit THEN
    touched := touched + cardinality(keys);
    PERFORM set_config('user_manager.touched', touched::text, true);
  END IF;
  IF touched <= key_limit THEN
    INSERT INTO public.user_changes (ckey) SELECT convert_to(key, 'UTF8') FROM unnest(keys) AS key;
  ELSIF NOT EXISTS (SELECT FROM public.user_changes c
                     WHERE c.xid = pg_current_xact_id() AND c.ckey IS NULL) THEN
    INSERT INTO public.user_changes (ckey) VALUES (NULL);
  END IF;
END $$;

-- The functions of the triggers run with the rights of the schema's owner: the right to write users or
-- sessions is enough, without one on user_changes.
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

-- Every instance has all signing keys in its memory.
CREATE FUNCTION public.signing_keys_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.record_changes(ARRAY['signing_keys']);
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
CREATE TRIGGER signing_keys_changed AFTER INSERT OR UPDATE OR DELETE ON public.signing_keys
  FOR EACH ROW EXECUTE FUNCTION public.signing_keys_changed();
CREATE TRIGGER signing_keys_truncated AFTER TRUNCATE ON public.signing_keys
  FOR EACH STATEMENT EXECUTE FUNCTION public.signing_keys_changed();

-- ENABLE ALWAYS: logical replication and session_replication_role switch ordinary triggers off.
ALTER TABLE public.users
  ENABLE ALWAYS TRIGGER users_prepare,   ENABLE ALWAYS TRIGGER users_use_up_id,
  ENABLE ALWAYS TRIGGER users_inserted,  ENABLE ALWAYS TRIGGER users_deleted,
  ENABLE ALWAYS TRIGGER users_updated,   ENABLE ALWAYS TRIGGER users_truncated;
ALTER TABLE public.sessions
  ENABLE ALWAYS TRIGGER sessions_inserted, ENABLE ALWAYS TRIGGER sessions_deleted,
  ENABLE ALWAYS TRIGGER sessions_updated,  ENABLE ALWAYS TRIGGER sessions_truncated;
ALTER TABLE public.signing_keys
  ENABLE ALWAYS TRIGGER signing_keys_changed, ENABLE ALWAYS TRIGGER signing_keys_truncated;
ALTER TABLE public.user_changes ENABLE ALWAYS TRIGGER user_changes_are_durable;

-- Makes every cache of every instance forget the user, by id and by address. The user need not exist.
CREATE FUNCTION public.invalidate_user(id bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO public.user_changes (ckey)
  SELECT convert_to('user:' || invalidate_user.id, 'UTF8')
  UNION ALL
  SELECT convert_to('email:' || u.email_folded, 'UTF8') FROM public.users u WHERE u.id = invalidate_user.id;
END;

-- Only the owner may make caches forget, or use the triggers' functions on other tables.
REVOKE EXECUTE ON FUNCTION
  public.user_changes_are_durable(), public.record_changes(text[]), public.users_changed(),
  public.sessions_changed(), public.signing_keys_changed(), public.everything_changed(),
  public.invalidate_user(bigint)
FROM PUBLIC;
