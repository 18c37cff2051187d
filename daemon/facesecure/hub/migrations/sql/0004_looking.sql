-- PostgreSQL wakes every session that listens in a database at each notification, whatever its channel: what LISTEN
-- costs grows with the doors times their changes. So with more than 60 doors nobody is notified. Each door has a number
-- that grows with what concerns it, and looks at it every second: that costs a fixed share for each door.
ALTER TABLE wakings SET (fillfactor = 50);  -- room for a new number beside the old one, without touching the index

-- What a door asks instead of waiting: its number, and the milliseconds between two looks (0: LISTEN).
CREATE FUNCTION look(OUT changed bigint, OUT look_every integer) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    SELECT wakings.changed, estate.look_every INTO look.changed, look.look_every
        FROM doors JOIN wakings ON wakings.door = doors.identifier, estate
        WHERE doors.role = session_user AND doors.removed_at IS NULL;
END $$;
REVOKE EXECUTE ON FUNCTION look() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION look() TO :doors:;

-- Choose between the two. The lock is that of revisions, under which doors are woken: no change is between two ways.
CREATE FUNCTION choose_waking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE wanted integer;
BEGIN
    PERFORM FROM revisions FOR UPDATE;
    SELECT CASE WHEN count(*) > 60 THEN 1000 ELSE 0 END INTO wanted FROM wakings;
    UPDATE estate SET look_every = wanted WHERE look_every <> wanted;
    IF FOUND THEN
        PERFORM pg_notify(channel, 'estate') FROM wakings;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION choose_waking() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER choose AFTER INSERT OR DELETE ON wakings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION choose_waking();

-- Wake some doors, except the one whose change it is. The caller has the lock of revisions.
CREATE FUNCTION wake_doors(woken text[], about text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF (SELECT look_every FROM estate) > 0 THEN
        UPDATE wakings SET changed = changed + 1 WHERE door = ANY (woken);
    ELSE
        PERFORM pg_notify(channel, about) FROM wakings WHERE door = ANY (woken);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION wake_doors(text[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION wake() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE own text := coalesce(me(), '');
DECLARE woken text[];
BEGIN
    CASE TG_ARGV[0]
        WHEN 'all' THEN
            woken := ARRAY(SELECT door FROM wakings WHERE door <> own);
        WHEN 'household' THEN
            woken := ARRAY(SELECT identifier FROM doors WHERE household = NEW.household AND identifier <> own);
        WHEN 'door' THEN
            woken := ARRAY(SELECT NEW.door WHERE NEW.door <> own);
        WHEN 'orderer' THEN
            woken := ARRAY(SELECT NEW.ordered_by WHERE NEW.ordered_by <> own);
        WHEN 'author' THEN
            PERFORM FROM revisions FOR UPDATE;
            woken := ARRAY(SELECT author FROM sightings WHERE identifier = NEW.sighting AND author <> own);
        WHEN 'manager' THEN
            PERFORM FROM revisions FOR UPDATE;
            woken := ARRAY(SELECT manager FROM estate);
    END CASE;
    PERFORM wake_doors(woken, TG_TABLE_NAME);
    RETURN NULL;
END $$;

-- These two take no revision: they are deferred, so that they too take the lock only as the transaction commits.
DROP TRIGGER wake ON crop_requests;
DROP TRIGGER wake ON join_requests;
CREATE CONSTRAINT TRIGGER wake AFTER INSERT ON crop_requests DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wake('author');
CREATE CONSTRAINT TRIGGER wake AFTER INSERT ON join_requests DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wake('manager');

-- A hub with many doors already.
UPDATE estate SET look_every = 1000 WHERE (SELECT count(*) FROM wakings) > 60;
