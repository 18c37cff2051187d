-- What the database itself sees to: revisions, times, limits, and waking those whom a change concerns.

CREATE SEQUENCE revision_numbers;
GRANT SELECT ON revision_numbers TO :doors:;

-- Revisions are given one transaction after the other, so that they become visible in their order: with a sequence
-- alone, a reader could see 7 before 6 is committed, and never look for 6 again. That is done as the transaction
-- commits: until then a row has revision 0, and a door with a slow connection holds up nobody. No door can lock the row
-- of revisions by itself. Arguments: the columns of the key.
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE same text;
BEGIN
    PERFORM FROM revisions FOR UPDATE;
    SELECT string_agg(format('%I = ($1).%I', name, name), ' AND ') INTO same FROM unnest(TG_ARGV) AS name;
    EXECUTE format('UPDATE %I SET revision = nextval(''revision_numbers'') WHERE revision = 0 AND %s', TG_TABLE_NAME, same)
        USING NEW;
    RETURN NULL;
END $$;

CREATE FUNCTION unstamp() RETURNS trigger LANGUAGE plpgsql SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF NEW.revision = OLD.revision THEN
        NEW.revision := 0;
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE stamped record;
BEGIN
    FOR stamped IN SELECT * FROM (VALUES
        ('doors', 'identifier'), ('household_keys', 'household, version, door'), ('people', 'identifier'),
        ('person_keys', 'person, door'), ('removals', 'person, door'), ('records', 'household, kind, identifier'),
        ('sightings', 'identifier')) AS t (name, key)
    LOOP
        EXECUTE format('CREATE TRIGGER a_unstamp BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION unstamp()', stamped.name);
        EXECUTE format('CREATE CONSTRAINT TRIGGER stamp AFTER INSERT OR UPDATE ON %I DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.revision = 0) EXECUTE FUNCTION stamp(%s)', stamped.name, stamped.key);
    END LOOP;
END $$;

-- Versions only grow; who was removed stays removed; the time of a removal is the hub's.
CREATE FUNCTION check_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'its version is % already', OLD.version USING ERRCODE = 'FS001';
    END IF;
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'people' AND OLD.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'it was removed' USING ERRCODE = 'FS002';
    END IF;
    NEW.removed_at := CASE WHEN NEW.document IS NULL THEN clock_timestamp() END;
    RETURN NEW;
END $$;

CREATE TRIGGER b_version BEFORE INSERT OR UPDATE OF author, version, document, signature ON people FOR EACH ROW EXECUTE FUNCTION check_version();
CREATE TRIGGER b_version BEFORE INSERT OR UPDATE OF author, version, document, signature ON records FOR EACH ROW EXECUTE FUNCTION check_version();

-- A removal orders a wipe at each door that has a key. A key that comes later, from a door that did not know, is refused:
-- locking the person waits for a removal under way, and makes a later one wait for this key.
CREATE FUNCTION check_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM FROM people WHERE identifier = NEW.person AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the person was removed' USING ERRCODE = 'FS002';
    END IF;
    IF NOT EXISTS (SELECT FROM doors WHERE identifier = NEW.door AND removed_at IS NULL) THEN
        RAISE EXCEPTION 'no such door' USING ERRCODE = 'FS004';
    END IF;
    DELETE FROM removals WHERE person = NEW.person AND door = NEW.door;  -- the door may know them again
    RETURN NEW;
END $$;

CREATE TRIGGER b_removed BEFORE INSERT OR UPDATE OF wrapped ON person_keys FOR EACH ROW EXECUTE FUNCTION check_key();

-- Who may know a person learns that the document has changed.
CREATE FUNCTION touch_keys() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    UPDATE person_keys SET revision = 0 WHERE person = NEW.identifier;
    RETURN NULL;
END $$;

CREATE TRIGGER touch AFTER UPDATE OF version ON people FOR EACH ROW EXECUTE FUNCTION touch_keys();

-- Times are the hub's, whatever a door says.
CREATE FUNCTION date_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'doors' THEN NEW.joined_at := clock_timestamp();
        WHEN 'statuses' THEN NEW.seen_at := clock_timestamp();
        WHEN 'notices' THEN
            NEW.until := least(NEW.until - NEW.at, interval '5 minutes') + clock_timestamp();
            NEW.at := clock_timestamp();
        WHEN 'removals' THEN
            IF TG_OP = 'INSERT' THEN
                NEW.ordered_at := clock_timestamp();
                NEW.confirmed_at := NULL;
            ELSIF NEW.confirmed_at IS NOT NULL THEN
                NEW.confirmed_at := coalesce(OLD.confirmed_at, clock_timestamp());
            END IF;
        ELSE NEW.at := clock_timestamp();
    END CASE;
    RETURN NEW;
END $$;

CREATE TRIGGER c_time BEFORE INSERT ON doors FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT OR UPDATE ON statuses FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT ON notices FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT OR UPDATE OF confirmed_at ON removals FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT ON sightings FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT ON join_requests FOR EACH ROW EXECUTE FUNCTION date_row();
CREATE TRIGGER c_time BEFORE INSERT ON crop_requests FOR EACH ROW EXECUTE FUNCTION date_row();

-- A door that went mad fills the disk slowly: limit_rows(most) of its own, or limit_hour(most) of the last hour.
CREATE FUNCTION limit_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE found integer;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I WHERE author = $1 LIMIT %s) AS rows', TG_TABLE_NAME, TG_ARGV[0])
        INTO found USING me();
    IF found >= TG_ARGV[0]::integer THEN
        RAISE EXCEPTION 'a door has at most % of these', TG_ARGV[0] USING ERRCODE = 'FS003';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION limit_hour() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM sightings WHERE author = me() AND at > now() - interval '1 hour'
                              LIMIT TG_ARGV[0]::integer) AS rows) >= TG_ARGV[0]::integer THEN
        RAISE EXCEPTION 'a door has at most % of these an hour', TG_ARGV[0] USING ERRCODE = 'FS003';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER d_limit BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION limit_rows(25000);
CREATE TRIGGER d_limit BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION limit_rows(20000);
CREATE TRIGGER d_limit BEFORE INSERT ON sightings FOR EACH ROW EXECUTE FUNCTION limit_hour(5000);

-- What a new door needs: a channel whose name only it can read, and the row that its household locks.
CREATE FUNCTION settle_door() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    INSERT INTO households (identifier) VALUES (NEW.household) ON CONFLICT DO NOTHING;
    INSERT INTO wakings (door, channel)
        SELECT NEW.identifier, 'facesecure_' || replace(gen_random_uuid()::text, '-', '')
        WHERE NEW.removed_at IS NULL ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER settle AFTER INSERT OR UPDATE OF household ON doors FOR EACH ROW EXECUTE FUNCTION settle_door();

-- Wake the doors whom a change concerns, each on its own channel, except the one that made it.
CREATE FUNCTION wake() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE own text := coalesce(me(), '');
BEGIN
    CASE TG_ARGV[0]
        WHEN 'all' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings WHERE door <> own;
        WHEN 'household' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings
                WHERE door IN (SELECT identifier FROM doors WHERE household = NEW.household) AND door <> own;
        WHEN 'door' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings WHERE door = NEW.door AND door <> own;
        WHEN 'orderer' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings WHERE door = NEW.ordered_by AND door <> own;
        WHEN 'author' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings
                WHERE door = (SELECT author FROM sightings WHERE identifier = NEW.sighting) AND door <> own;
        WHEN 'manager' THEN
            PERFORM pg_notify(channel, TG_TABLE_NAME) FROM wakings WHERE door = (SELECT manager FROM estate);
    END CASE;
    RETURN NULL;
END $$;

CREATE TRIGGER wake AFTER UPDATE OF revision ON doors FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('all');
CREATE TRIGGER wake AFTER UPDATE OF revision ON records FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('household');
CREATE TRIGGER wake AFTER UPDATE OF revision ON sightings FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('household');
CREATE TRIGGER wake AFTER UPDATE OF revision ON household_keys FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('door');
CREATE TRIGGER wake AFTER UPDATE OF revision ON person_keys FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('door');
CREATE TRIGGER wake AFTER UPDATE OF revision ON removals FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('door');
CREATE TRIGGER wake_orderer AFTER UPDATE OF revision ON removals FOR EACH ROW WHEN (NEW.revision > 0) EXECUTE FUNCTION wake('orderer');
CREATE TRIGGER wake AFTER INSERT ON crop_requests FOR EACH ROW EXECUTE FUNCTION wake('author');
CREATE TRIGGER wake AFTER INSERT ON join_requests FOR EACH ROW EXECUTE FUNCTION wake('manager');

REVOKE EXECUTE ON FUNCTION stamp(), unstamp(), check_version(), check_key(), touch_keys(), date_row(), limit_rows(), limit_hour(),
    settle_door(), wake() FROM PUBLIC;
