-- Ends when something is new, or when all turns are over; says whether a question that was asked along is true.
-- CASE, since the server orders what AND joins as it likes; and what a turn reads depends on its number, so that
-- it is read anew.
SELECT turns.n, /* questions */
FROM JSON_TABLE(:turns, '$[*]' COLUMNS (n FOR ORDINALITY)) AS turns
WHERE CASE WHEN SLEEP(:pause) = 0 THEN (
    (:mind_due AND :now + INTERVAL turns.n * :length MICROSECOND >= (
        SELECT run_at FROM bide_jobs FORCE INDEX (bide_jobs_scheduled)
        WHERE state = 2 AND turns.n > 0
        ORDER BY run_at
        LIMIT 1
    ))
    OR /* points */
    OR /* questions */
) END
LIMIT 1
