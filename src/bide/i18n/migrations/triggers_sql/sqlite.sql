INSERT INTO bide_text_versions (scope, version, changed_at)
SELECT scope, 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'
FROM (SELECT '' AS scope UNION SELECT coalesce(scope, '') FROM {translations}) AS scopes
WHERE scope NOT IN (SELECT scope FROM bide_text_versions)
----
CREATE TRIGGER bide_{translations}_insert AFTER INSERT ON {translations}
BEGIN
    INSERT INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(NEW.scope, ''), 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(NEW.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'
    WHERE scope = coalesce(NEW.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, key, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.key, 'insert', NULL, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(NEW.scope, '');
END
----
CREATE TRIGGER bide_{translations}_update AFTER UPDATE ON {translations}
BEGIN
    INSERT INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(NEW.scope, ''), 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(NEW.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'
    WHERE scope = coalesce(NEW.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, key, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.key, 'update', OLD.value, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(NEW.scope, '');
END
----
CREATE TRIGGER bide_{translations}_delete AFTER DELETE ON {translations}
BEGIN
    INSERT INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(OLD.scope, ''), 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(OLD.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'
    WHERE scope = coalesce(OLD.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, key, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, OLD.locale, OLD.key, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(OLD.scope, '');
END
----
CREATE TRIGGER bide_{translations}_move AFTER UPDATE ON {translations}
WHEN NOT (OLD.scope IS NEW.scope AND OLD.locale IS NEW.locale AND OLD.key IS NEW.key)
BEGIN
    INSERT INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(OLD.scope, ''), 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(OLD.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'
    WHERE scope = coalesce(OLD.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, key, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, OLD.locale, OLD.key, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(OLD.scope, '');
END
