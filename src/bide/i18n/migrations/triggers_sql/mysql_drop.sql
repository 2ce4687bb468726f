DROP TRIGGER IF EXISTS {prefix}{translations}_insert
----
DROP TRIGGER IF EXISTS {prefix}{translations}_update
----
DROP TRIGGER IF EXISTS {prefix}{translations}_delete
