UPDATE bide_jobs FORCE INDEX (PRIMARY)
SET attempts = attempts + 1, crashes = crashes + 1, last_error = :error
WHERE id IN :ids
