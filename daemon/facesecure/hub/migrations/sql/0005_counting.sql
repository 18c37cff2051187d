-- How often something has changed that concerns a door, by table, its own changes included: so a door knows which of its
-- queries would answer what they answered before, and does not ask them again.
DROP FUNCTION look();
CREATE FUNCTION look(OUT changed bigint, OUT look_every integer, OUT doors bigint, OUT household_keys bigint,
                     OUT person_keys bigint, OUT removals bigint, OUT records bigint, OUT sightings bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
#variable_conflict use_column
BEGIN
    SELECT one.changed, estate.look_every, one.doors_changed, one.household_keys_changed, one.person_keys_changed,
           one.removals_changed, one.records_changed, one.sightings_changed
        INTO look.changed, look.look_every, look.doors, look.household_keys, look.person_keys, look.removals,
             look.records, look.sightings
        FROM facesecure.doors AS own JOIN wakings AS one ON one.door = own.identifier, estate
        WHERE own.role = session_user AND own.removed_at IS NULL;
END $$;
REVOKE EXECUTE ON FUNCTION look() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION look() TO :doors:;

-- Count for some doors, and wake them except the one whose change it is. The caller has the lock of revisions.
DROP FUNCTION wake_doors(text[], text);
CREATE FUNCTION wake_doors(woken text[], own text, about text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    UPDATE wakings SET
        changed = changed + (door <> own)::integer,
        doors_changed = doors_changed + (about = 'doors')::integer,
        household_keys_changed = household_keys_changed + (about = 'household_keys')::integer,
        person_keys_changed = person_keys_changed + (about = 'person_keys')::integer,
        removals_changed = removals_changed + (about = 'removals')::integer,
        records_changed = records_changed + (about = 'records')::integer,
        sightings_changed = sightings_changed + (about = 'sightings')::integer
        WHERE door = ANY (woken);
    IF (SELECT look_every FROM estate) = 0 THEN
        PERFORM pg_notify(channel, about) FROM wakings WHERE door = ANY (woken) AND door <> own;
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION wake_doors(text[], text, text) FROM PUBLIC;

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
            PERFORM FROM revisions FOR UPDATE;
            woken := ARRAY(SELECT author FROM sightings WHERE identifier = NEW.sighting);
        WHEN 'manager' THEN
            PERFORM FROM revisions FOR UPDATE;
            woken := ARRAY(SELECT manager FROM estate);
    END CASE;
    PERFORM wake_doors(woken, own, TG_TABLE_NAME);
    RETURN NULL;
END $$;

-- As before, but with the lock of revisions before it changes wakings, as everybody who does: after the rows that others
-- may have changed, who wait for the lock as they commit.
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
    DELETE FROM person_keys WHERE door = removed;
    DELETE FROM household_keys WHERE door = removed;
    DELETE FROM statuses WHERE door = removed;
    PERFORM FROM revisions FOR UPDATE;
    DELETE FROM wakings WHERE door = removed;
    DELETE FROM invitations WHERE identifier = removed;
    EXECUTE format('ALTER ROLE %I NOLOGIN', gone);
    PERFORM end_sessions(gone);
    EXECUTE format('DROP ROLE %I', gone);
END $$;
