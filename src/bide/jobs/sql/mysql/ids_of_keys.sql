SELECT id, `key` FROM bide_jobs WHERE `key` IN :keys
