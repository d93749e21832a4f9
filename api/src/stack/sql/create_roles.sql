-- The three roles of a deployment, each made once. Passwords arrive as settings of this session: role statements
-- take no parameters, and this way they are quoted by the server.
DO $$
BEGIN
    -- What the service may do is granted to this group by the migrations.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hilt_service') THEN
        CREATE ROLE hilt_service NOLOGIN;
    END IF;

    -- Owns the schema and runs the migrations; the service never logs in as this role.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hilt_admin') THEN
        EXECUTE format(
            'CREATE ROLE hilt_admin LOGIN CREATEROLE CREATEDB PASSWORD %L',
            current_setting('hilt.admin_password')
        );
        GRANT hilt_service TO hilt_admin WITH ADMIN OPTION;
        GRANT pg_signal_backend TO hilt_admin;
    END IF;

    -- The service's own login.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hilt') THEN
        EXECUTE format('CREATE ROLE hilt LOGIN PASSWORD %L', current_setting('hilt.service_password'));
        GRANT hilt_service TO hilt;
    END IF;
END
$$
