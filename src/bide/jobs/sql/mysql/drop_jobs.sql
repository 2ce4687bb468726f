DELETE jobs FROM bide_jobs AS jobs FORCE INDEX (PRIMARY) WHERE jobs.id IN :ids
