-- Everything of a database that a script may take away, each as one line.
SELECT 'relation ' || relkind::text || ' ' || oid::regclass::text FROM pg_class
  WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    AND relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
UNION ALL SELECT 'column ' || attrelid::regclass::text || '.' || attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
  WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND relnamespace <> 'pg_catalog'::regnamespace
    AND relnamespace <> 'information_schema'::regnamespace AND relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
UNION ALL SELECT 'function ' || oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'extension ' || extname FROM pg_extension
UNION ALL SELECT 'role ' || rolname || ' ' || rolsuper::text || ' ' || rolcanlogin::text FROM pg_roles WHERE rolname !~ '^pg_'
UNION ALL SELECT 'secured ' || oid::regclass::text FROM pg_class WHERE relrowsecurity
UNION ALL SELECT 'right ' || relname || ' ' || a.grantee::regrole::text || ' ' || a.privilege_type
  FROM pg_class, aclexplode(relacl) a WHERE relnamespace = 'public'::regnamespace AND a.grantee <> 0
