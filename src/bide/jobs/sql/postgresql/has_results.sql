SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('bide_results')
