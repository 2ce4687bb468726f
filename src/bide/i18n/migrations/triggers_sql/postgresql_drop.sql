DROP FUNCTION bide_{translations}_changed() CASCADE
