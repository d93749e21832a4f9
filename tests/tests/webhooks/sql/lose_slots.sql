DO $$
DECLARE
    lost text;
BEGIN
    FOR lost IN DELETE FROM projections.slots RETURNING slot LOOP
        EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', lost);
    END LOOP;
END $$
