INSERT INTO bide_text_versions (scope, version, changed_at)
SELECT scope, 0, utc_timestamp(6)
FROM (SELECT '' AS scope UNION SELECT coalesce(scope, '') FROM {translations}) AS scopes
WHERE scope NOT IN (SELECT scope FROM bide_text_versions)
----
CREATE TRIGGER bide_{translations}_insert AFTER INSERT ON {translations}
FOR EACH ROW
BEGIN
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(NEW.scope, ''), 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(NEW.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = coalesce(NEW.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.`key`, 'insert', NULL, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(NEW.scope, '');
END
----
CREATE TRIGGER bide_{translations}_update AFTER UPDATE ON {translations}
FOR EACH ROW
BEGIN
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(NEW.scope, ''), 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(NEW.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = coalesce(NEW.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.`key`, 'update', OLD.value, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(NEW.scope, '');
    IF NOT (
        OLD.scope <=> NEW.scope AND OLD.locale <=> NEW.locale
        AND CAST(OLD.`key` AS BINARY) <=> CAST(NEW.`key` AS BINARY)
    ) THEN
        INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
        SELECT coalesce(OLD.scope, ''), 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
        WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(OLD.scope, ''));
        UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
        WHERE scope = coalesce(OLD.scope, '');
        INSERT INTO bide_text_history
            (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
        SELECT scope, OLD.locale, OLD.`key`, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
        FROM bide_text_versions WHERE scope = coalesce(OLD.scope, '');
    END IF;
END
----
CREATE TRIGGER bide_{translations}_delete AFTER DELETE ON {translations}
FOR EACH ROW
BEGIN
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT coalesce(OLD.scope, ''), 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = coalesce(OLD.scope, ''));
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = coalesce(OLD.scope, '');
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, OLD.locale, OLD.`key`, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = coalesce(OLD.scope, '');
END
