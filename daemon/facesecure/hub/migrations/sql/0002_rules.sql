-- Who reads and writes which rows. :doors: is the group of all door roles; one that was invited but has not joined, or
-- was removed, is nobody: me() is null. What is not granted is denied; the owner is bound by the rules too, and has one.

DO $$
DECLARE guarded text;
BEGIN
    FOR guarded IN SELECT tablename FROM pg_tables WHERE schemaname = 'facesecure' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('ALTER TABLE facesecure.%I ENABLE ROW LEVEL SECURITY', guarded);
        EXECUTE format('ALTER TABLE facesecure.%I FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format('CREATE POLICY owner ON facesecure.%I TO :owner: USING (true) WITH CHECK (true)', guarded);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA facesecure TO :doors:;

-- A door looks whether it knows the schema.
GRANT SELECT ON alembic_version TO :doors:;

GRANT SELECT ON estate TO :doors:;
CREATE POLICY reading ON estate FOR SELECT TO :doors: USING (true);

-- Certificates are public among the doors; only the manager hands them out.
GRANT SELECT ON doors TO :doors:;
GRANT INSERT (identifier, name, household, role, box_key, sign_key, rights, certificate, joined_at) ON doors TO :doors:;
GRANT UPDATE (name, household, box_key, sign_key, rights, certificate) ON doors TO :doors:;
CREATE POLICY reading ON doors FOR SELECT TO :doors: USING ((SELECT me()) IS NOT NULL);
CREATE POLICY adding ON doors FOR INSERT TO :doors: WITH CHECK ((SELECT is_manager()));
CREATE POLICY changing ON doors FOR UPDATE TO :doors: USING ((SELECT is_manager()) AND removed_at IS NULL);

GRANT SELECT ON statuses TO :doors:;
GRANT INSERT (door, household, seen_at, document), UPDATE (household, seen_at, document) ON statuses TO :doors:;
CREATE POLICY reading ON statuses FOR SELECT TO :doors:
    USING (household = (SELECT my_household()) OR (SELECT is_manager()));
CREATE POLICY adding ON statuses FOR INSERT TO :doors:
    WITH CHECK (door = (SELECT me()) AND household = (SELECT my_household()));
CREATE POLICY changing ON statuses FOR UPDATE TO :doors: USING (door = (SELECT me()))
    WITH CHECK (door = (SELECT me()) AND household = (SELECT my_household()));

GRANT SELECT ON wakings TO :doors:;
CREATE POLICY reading ON wakings FOR SELECT TO :doors: USING (door = (SELECT me()));

GRANT SELECT ON invitations TO :doors:;
GRANT UPDATE (used_at) ON invitations TO :doors:;
CREATE POLICY reading ON invitations FOR SELECT TO :doors: USING (role = session_user OR (SELECT is_manager()));
CREATE POLICY changing ON invitations FOR UPDATE TO :doors: USING ((SELECT is_manager()));

GRANT SELECT, DELETE ON join_requests TO :doors:;
GRANT INSERT (invitation, box_key, sign_key, mac, at) ON join_requests TO :doors:;
CREATE POLICY reading ON join_requests FOR SELECT TO :doors:
    USING (invitation = (SELECT invited()) OR (SELECT is_manager()));
CREATE POLICY adding ON join_requests FOR INSERT TO :doors: WITH CHECK (invitation = (SELECT invited()));
CREATE POLICY removing ON join_requests FOR DELETE TO :doors:
    USING (invitation = (SELECT invited()) OR (SELECT is_manager()));

GRANT SELECT ON household_keys TO :doors:;
GRANT INSERT (household, version, door, wrapped, author, signature) ON household_keys TO :doors:;
CREATE POLICY reading ON household_keys FOR SELECT TO :doors:
    USING (door = (SELECT me()) OR author = (SELECT me()) OR household = (SELECT my_household()));
CREATE POLICY adding ON household_keys FOR INSERT TO :doors:
    WITH CHECK (author = (SELECT me()) AND (household = (SELECT my_household()) OR (SELECT is_manager())));

GRANT SELECT ON people TO :doors:;
GRANT INSERT (identifier, household, author, version, document, signature) ON people TO :doors:;
GRANT UPDATE (author, version, document, signature) ON people TO :doors:;
CREATE POLICY reading ON people FOR SELECT TO :doors: USING (author = (SELECT me()) OR holds_key(identifier));
CREATE POLICY adding ON people FOR INSERT TO :doors:
    WITH CHECK (author = (SELECT me()) AND household = (SELECT my_household()) AND (SELECT may('enrol')));
CREATE POLICY changing ON people FOR UPDATE TO :doors: USING (may_edit(identifier))
    WITH CHECK (author = (SELECT me()) AND household = (SELECT my_household()));

GRANT SELECT, DELETE ON person_keys TO :doors:;
GRANT INSERT (person, door, wrapped, author, signature), UPDATE (wrapped, author, signature) ON person_keys TO :doors:;
CREATE POLICY reading ON person_keys FOR SELECT TO :doors:
    USING (door = (SELECT me()) OR author = (SELECT me()) OR holds_key(person) OR may_edit(person));
CREATE POLICY adding ON person_keys FOR INSERT TO :doors: WITH CHECK (author = (SELECT me()) AND may_edit(person) AND may_give(door));
CREATE POLICY changing ON person_keys FOR UPDATE TO :doors: USING (may_edit(person))
    WITH CHECK (author = (SELECT me()) AND may_edit(person) AND may_give(door));
CREATE POLICY removing ON person_keys FOR DELETE TO :doors: USING (may_edit(person));

GRANT SELECT ON removals TO :doors:;
GRANT INSERT (person, door, household, version, ordered_by, signature, ordered_at) ON removals TO :doors:;
GRANT UPDATE (confirmed_at) ON removals TO :doors:;
CREATE POLICY reading ON removals FOR SELECT TO :doors: USING (
    door = (SELECT me()) OR ordered_by = (SELECT me()) OR household = (SELECT my_household()) OR (SELECT is_manager()));
CREATE POLICY adding ON removals FOR INSERT TO :doors: WITH CHECK (
    ordered_by = (SELECT me()) AND household = (SELECT my_household()) AND may_edit(person));
CREATE POLICY confirming ON removals FOR UPDATE TO :doors: USING (door = (SELECT me())) WITH CHECK (door = (SELECT me()));

GRANT SELECT ON records TO :doors:;
GRANT INSERT (household, kind, identifier, author, version, document, signature) ON records TO :doors:;
GRANT UPDATE (author, version, document, signature) ON records TO :doors:;
CREATE POLICY reading ON records FOR SELECT TO :doors: USING (household = (SELECT my_household()));
CREATE POLICY adding ON records FOR INSERT TO :doors: WITH CHECK (
    author = (SELECT me()) AND household = (SELECT my_household())
    AND (kind NOT IN ('mode', 'arming') OR (SELECT may('arm'))));
CREATE POLICY changing ON records FOR UPDATE TO :doors: USING (household = (SELECT my_household()))
    WITH CHECK (author = (SELECT me()) AND household = (SELECT my_household())
        AND (kind NOT IN ('mode', 'arming') OR (SELECT may('arm'))));

-- A crop is handed in only after somebody asked for it.
GRANT SELECT ON sightings TO :doors:;
GRANT INSERT (identifier, household, author, document, signature, at) ON sightings TO :doors:;
GRANT UPDATE (crop) ON sightings TO :doors:;
CREATE POLICY reading ON sightings FOR SELECT TO :doors: USING (household = (SELECT my_household()));
CREATE POLICY adding ON sightings FOR INSERT TO :doors:
    WITH CHECK (author = (SELECT me()) AND household = (SELECT my_household()));
CREATE POLICY changing ON sightings FOR UPDATE TO :doors:
    USING (author = (SELECT me()) AND EXISTS (SELECT FROM crop_requests WHERE sighting = sightings.identifier))
    WITH CHECK (author = (SELECT me()));

GRANT SELECT, DELETE ON notices TO :doors:;
GRANT INSERT (sighting, household, door, state, at, until), UPDATE (state) ON notices TO :doors:;
CREATE POLICY reading ON notices FOR SELECT TO :doors: USING (household = (SELECT my_household()));
CREATE POLICY adding ON notices FOR INSERT TO :doors:
    WITH CHECK (door = (SELECT me()) AND household = (SELECT my_household()) AND owns_sighting(sighting));
CREATE POLICY changing ON notices FOR UPDATE TO :doors: USING (door = (SELECT me())) WITH CHECK (door = (SELECT me()));
CREATE POLICY removing ON notices FOR DELETE TO :doors: USING (door = (SELECT me()));

GRANT SELECT, DELETE ON crop_requests TO :doors:;
GRANT INSERT (sighting, door, household, at) ON crop_requests TO :doors:;
CREATE POLICY reading ON crop_requests FOR SELECT TO :doors: USING (door = (SELECT me()) OR owns_sighting(sighting));
CREATE POLICY adding ON crop_requests FOR INSERT TO :doors:
    WITH CHECK (door = (SELECT me()) AND household = (SELECT my_household()) AND (SELECT may('view')));
CREATE POLICY removing ON crop_requests FOR DELETE TO :doors: USING (door = (SELECT me()) OR owns_sighting(sighting));
