INSERT INTO bide_text_versions (scope, version, changed_at)
SELECT scope, 0, utc_timestamp(6)
FROM (
    SELECT '' AS scope
    UNION SELECT CONVERT(coalesce(scope, '') USING utf8mb4) COLLATE {exact} FROM {translations}
) AS scopes
WHERE scope NOT IN (SELECT scope FROM bide_text_versions)
----
DROP TRIGGER IF EXISTS {prefix}{translations}_insert
----
CREATE TRIGGER {prefix}{translations}_insert AFTER INSERT ON {translations}
FOR EACH ROW
BEGIN
    DECLARE here VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} DEFAULT coalesce(NEW.scope, '');
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT here, 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = here);
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = here;
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.`key`, 'insert', NULL, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = here;
END
----
DROP TRIGGER IF EXISTS {prefix}{translations}_update
----
CREATE TRIGGER {prefix}{translations}_update AFTER UPDATE ON {translations}
FOR EACH ROW
BEGIN
    DECLARE here VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} DEFAULT coalesce(NEW.scope, '');
    DECLARE there VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} DEFAULT coalesce(OLD.scope, '');
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT here, 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = here);
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = here;
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, NEW.locale, NEW.`key`, 'update', OLD.value, NEW.value, NEW.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = here;
    IF NOT (
        CAST(OLD.scope AS BINARY) <=> CAST(NEW.scope AS BINARY)
        AND CAST(OLD.locale AS BINARY) <=> CAST(NEW.locale AS BINARY)
        AND CAST(OLD.`key` AS BINARY) <=> CAST(NEW.`key` AS BINARY)
    ) THEN
        INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
        SELECT there, 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
        WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = there);
        UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
        WHERE scope = there;
        INSERT INTO bide_text_history
            (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
        SELECT scope, OLD.locale, OLD.`key`, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
        FROM bide_text_versions WHERE scope = there;
    END IF;
END
----
DROP TRIGGER IF EXISTS {prefix}{translations}_delete
----
CREATE TRIGGER {prefix}{translations}_delete AFTER DELETE ON {translations}
FOR EACH ROW
BEGIN
    DECLARE there VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} DEFAULT coalesce(OLD.scope, '');
    INSERT IGNORE INTO bide_text_versions (scope, version, changed_at)
    SELECT there, 0, utc_timestamp(6) FROM (SELECT 1 AS one) AS once
    WHERE NOT EXISTS (SELECT 1 FROM bide_text_versions WHERE scope = there);
    UPDATE bide_text_versions SET version = version + 1, changed_at = utc_timestamp(6)
    WHERE scope = there;
    INSERT INTO bide_text_history
        (scope, locale, `key`, action, old_value, new_value, is_proc, version, created_at)
    SELECT scope, OLD.locale, OLD.`key`, 'delete', OLD.value, NULL, OLD.is_proc, version, changed_at
    FROM bide_text_versions WHERE scope = there;
END
