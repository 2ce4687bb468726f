COALESCE((
    SELECT 1
    FROM bide_text_versions
    WHERE (:any_scope OR scope = :scope) AND CONCAT(scope, ' ', version) NOT IN :known AND turns.n > 0
    LIMIT 1
), 0)
