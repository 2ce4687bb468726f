-- Of a report whose first try met a lost connection: what it had done before.
SELECT h.id FROM unnest(:ids::bigint[], :leases::int[]) AS h (id, lease)
LEFT JOIN bide_jobs AS j ON j.id = h.id
WHERE j.id IS NULL OR (j.state = 4 AND j.lease = h.lease)
