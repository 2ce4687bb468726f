-- Which characters the keys of a table may hold.
SELECT character_set_name
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = :name AND column_name = 'key'
