-- The two group roles. Roles belong to the cluster, so another database's migration may be making them at this moment.
DO $$
BEGIN
    CREATE ROLE hilt_service NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    CREATE ROLE hilt_auditor NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
