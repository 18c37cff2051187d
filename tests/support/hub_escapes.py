"""What a door tries to be more than a door, for the tests of attacks on the hub."""

ESCAPES = """
SET ROLE {owner}
SET SESSION AUTHORIZATION {owner}
SET ROLE {victim}
SET SESSION AUTHORIZATION {victim}
SET ROLE administrator
GRANT {owner} TO CURRENT_USER
GRANT {victim} TO CURRENT_USER
ALTER ROLE {victim} PASSWORD 'x'
ALTER ROLE CURRENT_USER SUPERUSER
ALTER ROLE CURRENT_USER CREATEROLE
ALTER ROLE CURRENT_USER BYPASSRLS
ALTER ROLE CURRENT_USER CONNECTION LIMIT 1000
CREATE ROLE mine
DROP ROLE {victim}
CREATE DATABASE mine
CREATE SCHEMA mine
CREATE TABLE facesecure.mine (a int)
CREATE TABLE public.mine (a int)
CREATE TEMP TABLE doors (a int)
CREATE FUNCTION facesecure.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE FUNCTION pg_temp.me() RETURNS text LANGUAGE sql AS 'SELECT 1'
CREATE OR REPLACE FUNCTION facesecure.me() RETURNS text LANGUAGE sql AS 'SELECT 1'
CREATE EXTENSION dblink
CREATE EXTENSION pgcrypto
CREATE VIEW public.mine AS SELECT * FROM people
COPY people TO PROGRAM 'cat'
COPY people TO '/tmp/mine'
COPY people FROM '/etc/passwd'
SELECT pg_read_file('/etc/passwd')
SELECT pg_ls_dir('.')
SELECT lo_create(0)
SELECT lo_from_bytea(0, 'x')
SELECT lo_import('/etc/passwd')
SELECT pg_advisory_lock(1)
SELECT pg_try_advisory_xact_lock(1)
SELECT pg_advisory_lock_shared(1, 1)
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> session_user AND NOT pg_terminate_backend(pid)
SELECT pg_cancel_backend({pid})
SELECT pg_terminate_backend({pid})
SELECT pg_reload_conf()
ALTER SYSTEM SET fsync = off
CHECKPOINT
SELECT nextval('facesecure.revision_numbers')
SELECT setval('facesecure.revision_numbers', 1)
UPDATE pg_authid SET rolsuper = true
SELECT rolpassword FROM pg_authid
SELECT * FROM pg_shadow
SELECT * FROM pg_hba_file_rules
SELECT invite('{new}', 'mine', '{household}', 'enrol', now() + interval '1 hour', '{verifier}')
SELECT make_role('facesecure_door_{new}', '{verifier}', 'infinity')
SELECT drop_invitation('{door}')
SELECT end_sessions('{victim_role}')
SELECT withdraw_invitation('{door}')
SELECT remove_door('{door}')
SELECT shut_out('{door}')
SELECT shut_role('{victim_role}')
SELECT drop_role('{victim_role}')
SELECT lock_revisions()
SELECT check_whose('mode', '', '', true)
SELECT finish_join('plain password')
SELECT finish_join('SCRAM-SHA-256$4096:x'' VALID UNTIL ''infinity')
SELECT require_manager()
SET row_security = off; SELECT * FROM people
SELECT query_to_xml('SELECT * FROM pg_authid', true, true, '')
""".strip().splitlines()
"""Statements, all of which must be refused; a word in braces is put in by the test."""
