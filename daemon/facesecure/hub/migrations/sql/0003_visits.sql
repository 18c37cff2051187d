-- A door changes what it has said of a visit, which ends, is corrected, or was somebody who is removed.
GRANT UPDATE (document, signature) ON sightings TO :doors:;
DROP POLICY changing ON sightings;
CREATE POLICY changing ON sightings FOR UPDATE TO :doors: USING (author = (SELECT me())) WITH CHECK (author = (SELECT me()));

-- A crop is handed in only while somebody asks for it. The lock makes who withdraws the request meanwhile wait, and then
-- find the crop.
CREATE FUNCTION check_crop() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    PERFORM FROM crop_requests WHERE sighting = NEW.identifier FOR KEY SHARE;
    IF NEW.crop IS NOT NULL AND NOT FOUND THEN
        RAISE EXCEPTION 'nobody asks for this crop' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER b_crop BEFORE UPDATE OF crop ON sightings FOR EACH ROW EXECUTE FUNCTION check_crop();

-- It goes with the last request.
CREATE FUNCTION drop_crop() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
BEGIN
    UPDATE sightings SET crop = NULL WHERE identifier = OLD.sighting AND crop IS NOT NULL
        AND NOT EXISTS (SELECT FROM crop_requests WHERE sighting = OLD.sighting);
    RETURN NULL;
END $$;

CREATE TRIGGER drop_crop AFTER DELETE ON crop_requests FOR EACH ROW EXECUTE FUNCTION drop_crop();

REVOKE EXECUTE ON FUNCTION check_crop(), drop_crop() FROM PUBLIC;

-- As before, but for requests, which are open for minutes only.
CREATE OR REPLACE FUNCTION expire() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = facesecure, pg_temp AS $$
DECLARE removed integer;
BEGIN
    IF me() IS NULL THEN
        RAISE EXCEPTION 'not a door of this hub' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM crop_requests WHERE at < now() - interval '10 minutes';
    DELETE FROM sightings WHERE identifier IN (
        SELECT identifier FROM sightings WHERE at < now() - interval '14 days' ORDER BY at LIMIT 5000);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM drop_invitation(identifier) FROM invitations WHERE coalesce(used_at, expires_at) < now() - interval '1 day';
    DELETE FROM removals WHERE confirmed_at < now() - interval '90 days';
    DELETE FROM people WHERE removed_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM removals WHERE person = people.identifier)
        AND NOT EXISTS (SELECT FROM person_keys WHERE person = people.identifier);
    RETURN removed;
END $$;
