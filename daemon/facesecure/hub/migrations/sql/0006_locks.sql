-- No door holds what all others wait for.

-- Doors connect again. One that is connected now could hold up this upgrade.
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
    WHERE datname = current_database() AND usename LIKE 'facesecure\_door\_%' AND pid <> pg_backend_pid();
LOCK TABLE household_keys, people, person_keys, removals, records, sightings, notices, crop_requests, join_requests
    IN ACCESS EXCLUSIVE MODE;

-- Lock the row of revisions. A door can do that only as its transaction commits. SET CONSTRAINTS would otherwise run the
-- deferred triggers early, and the door could hold the lock. The hub's own functions lock it at their end.
CREATE FUNCTION lock_revisions() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF session_user LIKE 'facesecure\_door\_%' AND (current_query() ~* '^\s*commit\s*;?\s*$') IS NOT TRUE THEN
        RAISE EXCEPTION 'a door writes in a transaction, which takes revisions as it commits'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM revisions FOR UPDATE;
END $$;

CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE same text;
BEGIN
    PERFORM lock_revisions();
    SELECT string_agg(format('%I = ($1).%I', name, name), ' AND ') INTO same FROM unnest(TG_ARGV) AS name;
    EXECUTE format('UPDATE %I SET revision = nextval(''revision_numbers'') WHERE revision = 0 AND %s', TG_TABLE_NAME, same)
        USING NEW;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION choose_waking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE wanted integer;
BEGIN
    PERFORM lock_revisions();
    SELECT CASE WHEN count(*) > 60 THEN 1000 ELSE 0 END INTO wanted FROM wakings;
    UPDATE estate SET look_every = wanted WHERE look_every <> wanted;
    IF FOUND THEN
        PERFORM pg_notify(channel, 'estate') FROM wakings;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION wake() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE own text := coalesce(me(), '');
DECLARE woken text[];
BEGIN
    CASE TG_ARGV[0]
        WHEN 'all' THEN
            woken := ARRAY(SELECT door FROM wakings);
        WHEN 'household' THEN
            woken := ARRAY(SELECT identifier FROM doors WHERE household = NEW.household);
        WHEN 'door' THEN
            woken := ARRAY[NEW.door];
        WHEN 'orderer' THEN
            woken := ARRAY[NEW.ordered_by];
        WHEN 'author' THEN
            PERFORM lock_revisions();
            woken := ARRAY(SELECT author FROM sightings WHERE identifier = NEW.sighting);
        WHEN 'manager' THEN
            PERFORM lock_revisions();
            woken := ARRAY(SELECT manager FROM estate);
    END CASE;
    PERFORM wake_doors(woken, own, TG_TABLE_NAME);
    RETURN NULL;
END $$;

-- Whoever may delete from a table may also lock it, whatever the rules say of its rows: so doors delete in these ways.

-- Take a person's keys from some doors, or from all.
CREATE FUNCTION take_keys(wanted text, from_doors text[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    DELETE FROM person_keys WHERE person = wanted AND may_edit(wanted) AND (from_doors IS NULL OR door = ANY (from_doors))
$$;

-- Forget a request to join; return whether there was one.
CREATE FUNCTION drop_request(wanted text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    DELETE FROM join_requests WHERE invitation = wanted AND (wanted = invited() OR is_manager());
    RETURN FOUND;
END $$;

-- Give up a claim that was not confirmed.
CREATE FUNCTION release_claim(wanted text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    DELETE FROM notices WHERE sighting = wanted AND door = me() AND state = 'claimed'
$$;

-- Ask for a crop no longer.
CREATE FUNCTION withdraw_crop(wanted text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    DELETE FROM crop_requests WHERE sighting = wanted AND door = me()
$$;

-- Deny requests for the door's own sightings, one or all, that are older than this.
CREATE FUNCTION deny_crops(wanted text, older interval) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    DELETE FROM crop_requests WHERE (wanted IS NULL OR sighting = wanted) AND at < clock_timestamp() - older
        AND sighting IN (SELECT identifier FROM sightings WHERE author = me())
$$;

DROP POLICY removing ON person_keys;
DROP POLICY removing ON join_requests;
DROP POLICY removing ON notices;
DROP POLICY removing ON crop_requests;
REVOKE DELETE ON person_keys, join_requests, notices, crop_requests FROM :doors:;

-- End what no honest door does, when somebody has waited for a lock in vain: a transaction of more than 35 seconds (doors
-- cut theirs after 30), a statement of more than 15 (they end after 10), and one left open without a statement for 5, or
-- at all while somebody has been waiting for it for 5.
CREATE OR REPLACE FUNCTION end_stalled() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
    SELECT count(pg_terminate_backend(pid))::integer FROM pg_stat_activity AS one
    WHERE me() IS NOT NULL AND datname = current_database() AND usename LIKE 'facesecure\_door\_%'
      AND pid <> pg_backend_pid()
      AND (xact_start < clock_timestamp() - interval '35 seconds'
           OR (state = 'active' AND query_start < clock_timestamp() - interval '15 seconds')
           OR (state LIKE 'idle in transaction%' AND (
               state_change < clock_timestamp() - interval '5 seconds'
               OR EXISTS (SELECT FROM pg_locks AS waiter WHERE NOT waiter.granted
                          AND waiter.waitstart < clock_timestamp() - interval '5 seconds'
                          AND one.pid = ANY (pg_blocking_pids(waiter.pid))))))
$$;

REVOKE EXECUTE ON FUNCTION lock_revisions(), take_keys(text, text[]), drop_request(text), release_claim(text),
    withdraw_crop(text), deny_crops(text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_keys(text, text[]), drop_request(text), release_claim(text), withdraw_crop(text),
    deny_crops(text, interval) TO :doors:;
