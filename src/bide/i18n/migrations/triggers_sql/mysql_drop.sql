DROP TRIGGER bide_{translations}_insert
----
DROP TRIGGER bide_{translations}_update
----
DROP TRIGGER bide_{translations}_delete
