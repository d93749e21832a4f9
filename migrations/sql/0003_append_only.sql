CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Facts are corrected by appending new ones.';
END
$$;
COMMENT ON FUNCTION log.refuse_change() IS 'Refuses to change a record, whoever asks.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
-- ALWAYS: a session that plays a replica does not escape it.
ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only;

CREATE FUNCTION log.refuse_backward_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.next_position < OLD.next_position OR NEW.epoch <= OLD.epoch OR NEW.recorded_at < OLD.recorded_at THEN
        RAISE EXCEPTION 'log.head only moves forward'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION log.refuse_backward_head() IS 'Keeps position, epoch and time of the head from running backwards.';

CREATE TRIGGER forward_only BEFORE UPDATE ON log.head
    FOR EACH ROW EXECUTE FUNCTION log.refuse_backward_head();
ALTER TABLE log.head ENABLE ALWAYS TRIGGER forward_only;

CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON log.head
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.head ENABLE ALWAYS TRIGGER kept;
