-- What the rules and triggers do costs a door the same, however many there are. A function in SQL, and EXECUTE, are planned
-- in each statement anew. Whether the rules let the owner do it, PostgreSQL finds in the list of all roles that the owner
-- is a member of, those of all doors. What PL/pgSQL does without EXECUTE is planned once in a session.

CREATE OR REPLACE FUNCTION me() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN (SELECT identifier FROM doors WHERE role = session_user AND removed_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION my_household() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN (SELECT household FROM doors WHERE role = session_user AND removed_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION may(needed text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM doors WHERE role = session_user AND removed_at IS NULL
                   AND needed = ANY (string_to_array(rights, ',')));
END $$;

CREATE OR REPLACE FUNCTION is_manager() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM doors JOIN estate ON estate.manager = doors.identifier
                   WHERE doors.role = session_user AND doors.removed_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION invited() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN (SELECT identifier FROM invitations WHERE role = session_user AND used_at IS NULL AND expires_at > now());
END $$;

CREATE OR REPLACE FUNCTION holds_key(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM person_keys WHERE person = wanted AND door = (SELECT me()));
END $$;

CREATE OR REPLACE FUNCTION may_edit(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN may('enrol') AND EXISTS (
        SELECT FROM people WHERE identifier = wanted AND household = (SELECT my_household())
            AND (author = (SELECT me()) OR holds_key(wanted)));
END $$;

CREATE OR REPLACE FUNCTION may_give(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN is_manager() OR may('share')
        OR EXISTS (SELECT FROM doors WHERE identifier = wanted AND household = (SELECT my_household()));
END $$;

CREATE OR REPLACE FUNCTION owns_sighting(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM sightings WHERE identifier = wanted AND author = (SELECT me()));
END $$;

-- The household is looked up once, and not for each household that is compared.
CREATE OR REPLACE FUNCTION take_turn() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM FROM households WHERE identifier = (SELECT my_household()) FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN clock_timestamp();
END $$;

-- As before, for each table by itself.
CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM lock_revisions();
    CASE TG_TABLE_NAME
        WHEN 'doors' THEN
            UPDATE doors SET revision = nextval('revision_numbers') WHERE revision = 0 AND identifier = NEW.identifier;
        WHEN 'household_keys' THEN
            UPDATE household_keys SET revision = nextval('revision_numbers')
                WHERE revision = 0 AND household = NEW.household AND version = NEW.version AND door = NEW.door;
        WHEN 'people' THEN
            UPDATE people SET revision = nextval('revision_numbers') WHERE revision = 0 AND identifier = NEW.identifier;
        WHEN 'person_keys' THEN
            UPDATE person_keys SET revision = nextval('revision_numbers')
                WHERE revision = 0 AND person = NEW.person AND door = NEW.door;
        WHEN 'removals' THEN
            UPDATE removals SET revision = nextval('revision_numbers')
                WHERE revision = 0 AND person = NEW.person AND door = NEW.door;
        WHEN 'records' THEN
            UPDATE records SET revision = nextval('revision_numbers')
                WHERE revision = 0 AND household = NEW.household AND kind = NEW.kind AND identifier = NEW.identifier;
        WHEN 'sightings' THEN
            UPDATE sightings SET revision = nextval('revision_numbers') WHERE revision = 0 AND identifier = NEW.identifier;
    END CASE;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION limit_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE own text := me();
DECLARE most integer := TG_ARGV[0];
DECLARE own_rows integer;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'people' THEN
            own_rows := (SELECT count(*) FROM (SELECT FROM people WHERE author = own LIMIT most) AS rows);
        WHEN 'records' THEN
            own_rows := (SELECT count(*) FROM (SELECT FROM records WHERE author = own LIMIT most) AS rows);
    END CASE;
    IF own_rows >= most THEN
        RAISE EXCEPTION 'a door has at most % of these', most USING ERRCODE = 'FS003';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION limit_hour() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM sightings WHERE author = (SELECT me()) AND at > now() - interval '1 hour'
                              LIMIT TG_ARGV[0]::integer) AS rows) >= TG_ARGV[0]::integer THEN
        RAISE EXCEPTION 'a door has at most % of these an hour', TG_ARGV[0] USING ERRCODE = 'FS003';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION take_keys(wanted text, from_doors text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    IF may_edit(wanted) THEN
        DELETE FROM person_keys WHERE person = wanted AND (from_doors IS NULL OR door = ANY (from_doors));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION release_claim(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    DELETE FROM notices WHERE sighting = wanted AND door = (SELECT me()) AND state = 'claimed';
END $$;

CREATE OR REPLACE FUNCTION withdraw_crop(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    DELETE FROM crop_requests WHERE sighting = wanted AND door = (SELECT me());
END $$;

CREATE OR REPLACE FUNCTION deny_crops(wanted text, older interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    DELETE FROM crop_requests WHERE (wanted IS NULL OR sighting = wanted) AND at < clock_timestamp() - older
        AND sighting IN (SELECT identifier FROM sightings WHERE author = (SELECT me()));
END $$;
