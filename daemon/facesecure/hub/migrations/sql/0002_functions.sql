-- What the rules ask, and what a door may do only in this way. Each runs as the owner of the schema, which no door is.
-- A door is known by the role that it signed in as: SET ROLE does not change session_user.

CREATE FUNCTION me() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT identifier FROM doors WHERE role = session_user AND removed_at IS NULL
$$;

CREATE FUNCTION my_household() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT household FROM doors WHERE role = session_user AND removed_at IS NULL
$$;

CREATE FUNCTION may(needed text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT EXISTS (SELECT FROM doors WHERE role = session_user AND removed_at IS NULL
                   AND needed = ANY (string_to_array(rights, ',')))
$$;

CREATE FUNCTION is_manager() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT EXISTS (SELECT FROM doors JOIN estate ON estate.manager = doors.identifier
                   WHERE doors.role = session_user AND doors.removed_at IS NULL)
$$;

-- The open invitation of who asks.
CREATE FUNCTION invited() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT identifier FROM invitations WHERE role = session_user AND used_at IS NULL AND expires_at > now()
$$;

CREATE FUNCTION holds_key(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT EXISTS (SELECT FROM person_keys WHERE person = wanted AND door = me())
$$;

-- Whether the door may change, share and remove a person: one of its household whom it knows.
CREATE FUNCTION may_edit(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT may('enrol') AND EXISTS (
        SELECT FROM people WHERE identifier = wanted AND household = my_household() AND (author = me() OR holds_key(wanted)))
$$;

-- Whether the door may let another know a person: one of its household, elsewhere only with the right to share.
CREATE FUNCTION may_give(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT is_manager() OR may('share')
        OR EXISTS (SELECT FROM doors WHERE identifier = wanted AND household = my_household())
$$;

CREATE FUNCTION owns_sighting(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT EXISTS (SELECT FROM sightings WHERE identifier = wanted AND author = me())
$$;

-- Lock the household, until the transaction ends: one door at a time decides whether to notify. Return the time.
CREATE FUNCTION take_turn() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM FROM households WHERE identifier = my_household() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN clock_timestamp();
END $$;

CREATE FUNCTION require_manager() RETURNS void LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF NOT is_manager() THEN
        RAISE EXCEPTION 'only the manager may do this' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

CREATE FUNCTION require_verifier(verifier text) RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF verifier IS NULL OR verifier !~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]{16,200}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$' THEN
        RAISE EXCEPTION 'not a SCRAM verifier' USING ERRCODE = 'invalid_parameter_value';
    END IF;
END $$;

-- End the sessions of a role.
CREATE FUNCTION end_sessions(ended name) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ended AND pid <> pg_backend_pid()
$$;

CREATE FUNCTION make_role(made name, verifier text, until timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM require_verifier(verifier);
    EXECUTE format('CREATE ROLE %I LOGIN CONNECTION LIMIT 4 PASSWORD %L VALID UNTIL %L IN ROLE :doors:', made, verifier, until);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', made, '30s');
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', made, '30s');
    EXECUTE format('ALTER ROLE %I SET search_path = facesecure', made);
    EXECUTE format('GRANT %I TO :owner:', made);  -- to end its sessions
END $$;

CREATE FUNCTION invite(p_identifier text, p_name text, p_household text, p_rights text, p_expires timestamptz, p_verifier text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM require_manager();
    IF p_expires <= clock_timestamp() OR p_expires > clock_timestamp() + interval '7 days' THEN
        RAISE EXCEPTION 'an invitation lasts up to a week' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM doors WHERE identifier = p_identifier) THEN
        RAISE EXCEPTION 'a door already' USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO invitations (identifier, role, name, household, rights, expires_at)
        VALUES (p_identifier, 'facesecure_door_' || p_identifier, p_name, p_household, p_rights, p_expires);
    PERFORM make_role(('facesecure_door_' || p_identifier)::name, p_verifier, p_expires);
END $$;

-- Forget an invitation, and the role unless it is a door's by now.
CREATE FUNCTION drop_invitation(dropped text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE gone name;
BEGIN
    DELETE FROM invitations WHERE identifier = dropped RETURNING role INTO gone;
    IF gone IS NOT NULL AND NOT EXISTS (SELECT FROM doors WHERE identifier = dropped) THEN
        PERFORM end_sessions(gone);
        EXECUTE format('DROP ROLE IF EXISTS %I', gone);
    END IF;
END $$;

CREATE FUNCTION withdraw_invitation(withdrawn text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM require_manager();
    PERFORM drop_invitation(withdrawn);
END $$;

CREATE FUNCTION finish_join(verifier text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF me() IS NULL THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM require_verifier(verifier);
    EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL %L', session_user, verifier, 'infinity');
END $$;

CREATE FUNCTION remove_door(removed text) RETURNS void
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
    DELETE FROM person_keys WHERE door = removed;
    DELETE FROM household_keys WHERE door = removed;
    DELETE FROM statuses WHERE door = removed;
    DELETE FROM wakings WHERE door = removed;
    DELETE FROM invitations WHERE identifier = removed;
    EXECUTE format('ALTER ROLE %I NOLOGIN', gone);
    PERFORM end_sessions(gone);
    EXECUTE format('DROP ROLE %I', gone);
END $$;

-- End transactions of doors that last longer than any honest one: they may hold a lock that all others wait for.
CREATE FUNCTION end_stalled() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT count(pg_terminate_backend(pid))::integer FROM pg_stat_activity
    WHERE me() IS NOT NULL AND datname = current_database() AND usename LIKE 'facesecure\_door\_%'
      AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '60 seconds'
$$;

-- Remove what is older than the hub keeps; return the number of sightings.
CREATE FUNCTION expire() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE removed integer;
BEGIN
    IF me() IS NULL THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM sightings WHERE identifier IN (
        SELECT identifier FROM sightings WHERE at < now() - interval '14 days' ORDER BY at LIMIT 5000);
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM crop_requests WHERE at < now() - interval '1 day';
    PERFORM drop_invitation(identifier) FROM invitations WHERE coalesce(used_at, expires_at) < now() - interval '1 day';
    DELETE FROM removals WHERE confirmed_at < now() - interval '90 days';
    DELETE FROM people WHERE removed_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM removals WHERE person = people.identifier)
        AND NOT EXISTS (SELECT FROM person_keys WHERE person = people.identifier);
    RETURN removed;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA facesecure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION me(), my_household(), may(text), is_manager(), invited(), holds_key(text), may_edit(text),
    may_give(text), owns_sighting(text), take_turn(), finish_join(text), end_stalled(), expire(), withdraw_invitation(text),
    remove_door(text), invite(text, text, text, text, timestamptz, text) TO :doors:;
