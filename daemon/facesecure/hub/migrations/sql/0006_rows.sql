-- What a door writes is its own, of a form that the others read, and of a version that leaves them others.

-- Only the authority's signature makes a key count, and only the manager has the authority.
DROP POLICY adding ON household_keys;
CREATE POLICY adding ON household_keys FOR INSERT TO :doors: WITH CHECK (author = (SELECT me()) AND (SELECT is_manager()));

-- The manager may remove two doors at once: neither gets a key of which the other removal does not know. The lock makes a
-- removal under way come first, or find the key.
CREATE FUNCTION check_household_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM FROM doors WHERE identifier = NEW.door AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND AND me() IS NOT NULL THEN
        RAISE EXCEPTION 'no such door' USING ERRCODE = 'FS004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER b_removed BEFORE INSERT ON household_keys FOR EACH ROW EXECUTE FUNCTION check_household_key();

-- What doors could write until now, and nobody reads.
DELETE FROM household_keys WHERE author NOT IN (SELECT manager FROM estate)
    OR version NOT BETWEEN 1 AND 9007199254740991 OR (household || door) !~ '^[0-9a-f]{64}$';
DELETE FROM records WHERE identifier !~ '^[0-9a-z][0-9a-z_.:-]*$' OR version NOT BETWEEN 1 AND 9007199254740991
    OR (kind IN ('mode', 'arming') AND identifier <> household)
    OR (kind NOT IN ('mode', 'arming') AND split_part(identifier, '.', 1) <> author AND document IS NOT NULL);
DELETE FROM sightings WHERE identifier !~ '^[0-9a-f]{32}$';
DELETE FROM removals WHERE (person || door) !~ '^[0-9a-f]{64}$' OR version NOT BETWEEN 1 AND 9007199254740991
    OR person IN (SELECT identifier FROM people WHERE version NOT BETWEEN 1 AND 9007199254740991);
DELETE FROM person_keys WHERE person !~ '^[0-9a-f]{32}$'
    OR person IN (SELECT identifier FROM people WHERE version NOT BETWEEN 1 AND 9007199254740991);
DELETE FROM people WHERE identifier !~ '^[0-9a-f]{32}$' OR version NOT BETWEEN 1 AND 9007199254740991;
DELETE FROM notices WHERE until NOT BETWEEN at AND at + interval '5 minutes';

ALTER TABLE household_keys ADD CONSTRAINT form
    CHECK ((household || door) ~ '^[0-9a-f]{64}$' AND version BETWEEN 1 AND 9007199254740991);
ALTER TABLE records ADD CONSTRAINT form
    CHECK (identifier ~ '^[0-9a-z][0-9a-z_.:-]*$' AND version BETWEEN 1 AND 9007199254740991);
ALTER TABLE sightings ADD CONSTRAINT form CHECK (identifier ~ '^[0-9a-f]{32}$');
ALTER TABLE people ADD CONSTRAINT form CHECK (identifier ~ '^[0-9a-f]{32}$' AND version BETWEEN 1 AND 9007199254740991);
ALTER TABLE removals ADD CONSTRAINT form CHECK (door ~ '^[0-9a-f]{32}$' AND version BETWEEN 1 AND 9007199254740991);

-- As before, and: a record is its door's, or the household's. Another door may only empty it, with the right to enrol, when
-- a visitor is forgotten. Versions grow by steps, so that no door takes the last one: a door that has seen more than a
-- backup that was put back goes on from what it has seen.
CREATE OR REPLACE FUNCTION check_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE most bigint := 4294967296;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.version <= OLD.version THEN
            RAISE EXCEPTION 'its version is % already', OLD.version USING ERRCODE = 'FS001';
        END IF;
        IF TG_TABLE_NAME = 'people' AND OLD.removed_at IS NOT NULL THEN
            RAISE EXCEPTION 'it was removed' USING ERRCODE = 'FS002';
        END IF;
        most := OLD.version + 1048576;
    END IF;
    IF me() IS NOT NULL AND NEW.version > most THEN
        RAISE EXCEPTION 'the version % is too far ahead', NEW.version USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_TABLE_NAME = 'records' AND me() IS NOT NULL THEN
        PERFORM check_whose(NEW.kind, NEW.household, NEW.identifier, TG_OP = 'UPDATE' AND NEW.document IS NULL);
    END IF;
    NEW.removed_at := CASE WHEN NEW.document IS NULL THEN clock_timestamp() END;
    RETURN NEW;
END $$;

CREATE FUNCTION check_whose(kind text, household text, identifier text, empties boolean) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF kind IN ('mode', 'arming') THEN
        IF identifier = household THEN
            RETURN;
        END IF;
    ELSIF split_part(identifier, '.', 1) = me() OR (empties AND may('enrol')) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'it is the record of another' USING ERRCODE = 'insufficient_privilege';
END $$;

-- As before, and: an order is to a door that there is, so that nobody orders without end, and a claim does not end before
-- it begins, in a year that no door can read.
CREATE OR REPLACE FUNCTION date_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'doors' THEN NEW.joined_at := clock_timestamp();
        WHEN 'statuses' THEN NEW.seen_at := clock_timestamp();
        WHEN 'notices' THEN
            NEW.until := clock_timestamp() + greatest(interval '0', least(NEW.until - NEW.at, interval '5 minutes'));
            NEW.at := clock_timestamp();
        WHEN 'removals' THEN
            IF TG_OP = 'INSERT' THEN
                IF NOT EXISTS (SELECT FROM doors WHERE identifier = NEW.door) THEN
                    RAISE EXCEPTION 'no such door' USING ERRCODE = 'FS004';
                END IF;
                NEW.ordered_at := clock_timestamp();
                NEW.confirmed_at := NULL;
            ELSIF NEW.confirmed_at IS NOT NULL THEN
                NEW.confirmed_at := coalesce(OLD.confirmed_at, clock_timestamp());
            END IF;
        ELSE NEW.at := clock_timestamp();
    END CASE;
    RETURN NEW;
END $$;

REVOKE EXECUTE ON FUNCTION check_household_key(), check_whose(text, text, text, boolean) FROM PUBLIC;
