-- Who is shut out cannot hinder that, nor can one that was only invited.

-- End the sessions of a role, and wait until they are gone.
CREATE OR REPLACE FUNCTION end_sessions(ended name) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM pg_stat_clear_snapshot();  -- otherwise those that began since the last look are missing
    PERFORM pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = ended AND pid <> pg_backend_pid();
END $$;

-- Let nobody sign in as a role. Its sessions end first: a role may alter itself, and so hold up who alters it.
CREATE FUNCTION shut_role(shut name) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = shut) THEN
        PERFORM end_sessions(shut);
        EXECUTE format('ALTER ROLE %I NOLOGIN', shut);
        PERFORM end_sessions(shut);
    END IF;
END $$;

-- Drop a role with what it has made here: PostgreSQL lets any role set default privileges, and make large objects where no
-- superuser has forbidden that. A role with something in another database, or with more than can be dropped, stays: empty
-- of rights, and nobody can sign in as it.
CREATE FUNCTION drop_role(dropped name) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM shut_role(dropped);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = dropped) THEN
        EXECUTE format('DROP OWNED BY %I', dropped);
        EXECUTE format('DROP ROLE %I', dropped);
    END IF;
EXCEPTION WHEN dependent_objects_still_exist OR out_of_memory THEN
    PERFORM shut_role(dropped);  -- the block's first time was undone
    EXECUTE format('ALTER ROLE %I PASSWORD NULL', dropped);
    EXECUTE format('REVOKE :doors: FROM %I', dropped);
    RAISE WARNING 'the role % stays, and lets nobody in: %', dropped, SQLERRM;
END $$;

-- Before a door is removed, in a transaction of its own: it could hold the locks that its removal needs.
CREATE FUNCTION shut_out(gone text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE shut name;
BEGIN
    PERFORM require_manager();
    SELECT role INTO shut FROM doors WHERE identifier = gone AND removed_at IS NULL AND identifier <> me();
    IF shut IS NULL THEN
        RAISE EXCEPTION 'no such door, or the manager' USING ERRCODE = 'FS004';
    END IF;
    PERFORM shut_role(shut);
END $$;

CREATE OR REPLACE FUNCTION remove_door(removed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE gone name;
BEGIN
    PERFORM require_manager();
    IF removed = me() THEN
        RAISE EXCEPTION 'the manager cannot remove itself' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE doors SET removed_at = clock_timestamp() WHERE identifier = removed AND removed_at IS NULL RETURNING role INTO gone;
    IF gone IS NULL THEN
        RAISE EXCEPTION 'no such door' USING ERRCODE = 'FS004';
    END IF;
    PERFORM drop_role(gone);
    DELETE FROM person_keys WHERE door = removed;
    DELETE FROM household_keys WHERE door = removed;
    DELETE FROM statuses WHERE door = removed;
    DELETE FROM invitations WHERE identifier = removed;
    PERFORM FROM revisions FOR UPDATE;
    DELETE FROM wakings WHERE door = removed;
END $$;

-- Forget an invitation, and the role unless it is a door's by now.
CREATE OR REPLACE FUNCTION drop_invitation(dropped text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE gone name;
BEGIN
    SELECT role INTO gone FROM invitations WHERE identifier = dropped;
    IF gone IS NOT NULL AND NOT EXISTS (SELECT FROM doors WHERE identifier = dropped) THEN
        PERFORM drop_role(gone);
    END IF;
    DELETE FROM invitations WHERE identifier = dropped;
END $$;

-- As before, but one invitation that cannot be dropped leaves the others.
CREATE OR REPLACE FUNCTION expire() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE
    removed integer;
    gone text;
BEGIN
    IF me() IS NULL THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM crop_requests WHERE at < now() - interval '10 minutes';
    DELETE FROM sightings WHERE identifier IN (
        SELECT identifier FROM sightings WHERE at < now() - interval '14 days' ORDER BY at LIMIT 5000);
    GET DIAGNOSTICS removed = ROW_COUNT;
    FOR gone IN SELECT identifier FROM invitations WHERE coalesce(used_at, expires_at) < now() - interval '1 day' LOOP
        BEGIN
            PERFORM drop_invitation(gone);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'the invitation % stays: %', gone, SQLERRM;
        END;
    END LOOP;
    DELETE FROM removals WHERE confirmed_at < now() - interval '90 days';
    DELETE FROM people WHERE removed_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM removals WHERE person = people.identifier)
        AND NOT EXISTS (SELECT FROM person_keys WHERE person = people.identifier);
    RETURN removed;
END $$;

REVOKE EXECUTE ON FUNCTION end_sessions(name), shut_role(name), drop_role(name), shut_out(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shut_out(text) TO :doors:;
