INSERT INTO bide_text_versions (scope, version, changed_at)
SELECT scope, 0, clock_timestamp()
FROM (SELECT '' AS scope UNION SELECT coalesce(scope, '') FROM {translations}) AS scopes
ON CONFLICT DO NOTHING
----
CREATE FUNCTION bide_{translations}_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    -- One change per statement, however many rows; in the order of the scopes, so that two writers
    -- never wait for each other crosswise.
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE bide_text_versions SET version = version + 1, changed_at = clock_timestamp();
        INSERT INTO bide_text_history (scope, action, version, created_at)
        SELECT scope, 'truncate', version, changed_at FROM bide_text_versions;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO bide_text_versions AS v (scope, version, changed_at)
        SELECT scope, 1, clock_timestamp()
        FROM (SELECT DISTINCT coalesce(scope, '') AS scope FROM new_rows) AS scopes ORDER BY scope
        ON CONFLICT (scope) DO UPDATE SET version = v.version + 1, changed_at = excluded.changed_at;
        INSERT INTO bide_text_history
            (scope, locale, key, action, new_value, is_proc, version, created_at)
        SELECT v.scope, n.locale, n.key, 'insert', n.value, n.is_proc, v.version, v.changed_at
        FROM new_rows n JOIN bide_text_versions v ON v.scope = coalesce(n.scope, '');
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO bide_text_versions AS v (scope, version, changed_at)
        SELECT scope, 1, clock_timestamp()
        FROM (SELECT DISTINCT coalesce(scope, '') AS scope FROM old_rows) AS scopes ORDER BY scope
        ON CONFLICT (scope) DO UPDATE SET version = v.version + 1, changed_at = excluded.changed_at;
        INSERT INTO bide_text_history
            (scope, locale, key, action, old_value, is_proc, version, created_at)
        SELECT v.scope, o.locale, o.key, 'delete', o.value, o.is_proc, v.version, v.changed_at
        FROM old_rows o JOIN bide_text_versions v ON v.scope = coalesce(o.scope, '');
    ELSE
        INSERT INTO bide_text_versions AS v (scope, version, changed_at)
        SELECT scope, 1, clock_timestamp()
        FROM (
            SELECT coalesce(scope, '') AS scope FROM old_rows
            UNION SELECT coalesce(scope, '') FROM new_rows
        ) AS scopes ORDER BY scope
        ON CONFLICT (scope) DO UPDATE SET version = v.version + 1, changed_at = excluded.changed_at;
        INSERT INTO bide_text_history
            (scope, locale, key, action, old_value, new_value, is_proc, version, created_at)
        SELECT v.scope, n.locale, n.key, 'update', o.value, n.value, n.is_proc, v.version, v.changed_at
        FROM new_rows n LEFT JOIN old_rows o ON o.id = n.id
            JOIN bide_text_versions v ON v.scope = coalesce(n.scope, '');
        -- What got another name is gone from its old place.
        INSERT INTO bide_text_history
            (scope, locale, key, action, old_value, is_proc, version, created_at)
        SELECT v.scope, o.locale, o.key, 'delete', o.value, o.is_proc, v.version, v.changed_at
        FROM old_rows o JOIN new_rows n ON o.id = n.id
            JOIN bide_text_versions v ON v.scope = coalesce(o.scope, '')
        WHERE (o.scope, o.locale, o.key) IS DISTINCT FROM (n.scope, n.locale, n.key);
    END IF;
    PERFORM pg_notify('bide_texts', '');
    RETURN NULL;
END $$
----
CREATE TRIGGER bide_{translations}_insert AFTER INSERT ON {translations}
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION bide_{translations}_changed()
----
CREATE TRIGGER bide_{translations}_update AFTER UPDATE ON {translations}
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION bide_{translations}_changed()
----
CREATE TRIGGER bide_{translations}_delete AFTER DELETE ON {translations}
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION bide_{translations}_changed()
----
CREATE TRIGGER bide_{translations}_truncate AFTER TRUNCATE ON {translations}
FOR EACH STATEMENT EXECUTE FUNCTION bide_{translations}_changed()
