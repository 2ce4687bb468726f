DELETE attempts FROM bide_attempts AS attempts FORCE INDEX (bide_attempts_job)
WHERE attempts.job_id IN :ids
