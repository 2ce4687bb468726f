"""The view on Bide's tables that stands for the table of the suite, made behind `migrate`."""

from __future__ import annotations

SQLITE = (
    "DROP VIEW IF EXISTS task_results_view",
    """
    CREATE VIEW task_results_view AS SELECT
        j.key AS id,
        CASE WHEN j.state IN (0, 2) THEN 'READY' WHEN j.state = 1 THEN 'RUNNING'
             WHEN j.state = 4 THEN 'SUCCESSFUL' ELSE 'FAILED' END AS status,
        j.created_at AS enqueued_at,
        COALESCE((SELECT min(a.started_at) FROM bide_attempts a WHERE a.job_id = j.id),
            (SELECT r.started_at FROM bide_results r WHERE r.job_id = j.id), j.locked_at) AS started_at,
        j.finished_at AS finished_at,
        json_object('args', json(json_extract(j.payload, '$.state.args')),
            'kwargs', json(json_extract(j.payload, '$.state.kwargs'))) AS args_kwargs,
        -j.priority AS priority,
        json_extract(j.payload, '$.state.task') AS task_path,
        COALESCE((SELECT json_array(a.worker) FROM bide_attempts a WHERE a.job_id = j.id),
            (SELECT json_array(r.worker) FROM bide_results r WHERE r.job_id = j.id),
            CASE WHEN j.state = 1 THEN json_array(j.locked_by) ELSE '[]' END) AS worker_ids,
        j.queue AS queue_name,
        json_extract(j.payload, '$.state.backend') AS backend_name,
        CASE WHEN json_extract(j.payload, '$.state.run_after') IS NULL THEN NULL ELSE j.run_at END AS run_after,
        (SELECT r.value FROM bide_results r WHERE r.job_id = j.id) AS return_value,
        '' AS exception_class_path,
        COALESCE(j.last_error, '') AS traceback
    FROM bide_jobs j WHERE json_extract(j.payload, '$.object') = 'django.task'
    """,
    """
    CREATE TRIGGER task_results_insert INSTEAD OF INSERT ON task_results_view BEGIN
        INSERT INTO bide_jobs (key, name, queue, priority, state, payload, run_at, created_at, max_attempts, pos)
        VALUES (NEW.id, NEW.task_path, NEW.queue_name, -NEW.priority,
            CASE WHEN NEW.run_after > NEW.enqueued_at THEN 2 ELSE 0 END,
            json_object('v', 1, 'object', 'django.task', 'state', json_object(
                'task', NEW.task_path, 'backend', NEW.backend_name, 'id', NEW.id,
                'args', json(COALESCE(json_extract(NEW.args_kwargs, '$.args'), '[]')),
                'kwargs', json(COALESCE(json_extract(NEW.args_kwargs, '$.kwargs'), '{}')),
                'run_after', replace(NEW.run_after, ' ', 'T') || '+00:00')),
            COALESCE(NEW.run_after, NEW.enqueued_at), NEW.enqueued_at, 1,
            (SELECT COALESCE(max(pos), 0) + 1 FROM bide_jobs));
    END
    """,
    """
    CREATE TRIGGER task_results_update INSTEAD OF UPDATE ON task_results_view BEGIN
        UPDATE bide_jobs SET
            state = CASE NEW.status WHEN 'RUNNING' THEN 1 WHEN 'SUCCESSFUL' THEN 4 WHEN 'FAILED' THEN 3
                ELSE CASE WHEN NEW.run_after > strftime('%Y-%m-%d %H:%M:%f', 'now') THEN 2 ELSE 0 END END,
            finished_at = NEW.finished_at,
            run_at = COALESCE(NEW.run_after, run_at),
            payload = CASE WHEN NEW.run_after IS NULL
                THEN json_set(payload, '$.state.run_after', NULL) ELSE payload END
        WHERE key = NEW.id;
        INSERT INTO bide_results (job_id, worker, started_at, value, keep_until)
        SELECT id, COALESCE(json_extract(NEW.worker_ids, '$[0]'), 'worker'), NEW.started_at,
            COALESCE(NEW.return_value, 'null'), '9999-01-01 00:00:00.000000'
        FROM bide_jobs WHERE key = NEW.id AND NEW.status = 'SUCCESSFUL';
    END
    """,
    """
    CREATE TRIGGER task_results_delete INSTEAD OF DELETE ON task_results_view BEGIN
        DELETE FROM bide_results WHERE job_id = (SELECT id FROM bide_jobs WHERE key = OLD.id);
        DELETE FROM bide_attempts WHERE job_id = (SELECT id FROM bide_jobs WHERE key = OLD.id);
        DELETE FROM bide_jobs WHERE key = OLD.id;
    END
    """,
)

POSTGRESQL = (
    "DROP VIEW IF EXISTS task_results_view",
    """
    CREATE VIEW task_results_view AS SELECT
        j.key::uuid AS id,
        CASE WHEN j.state IN (0, 2) THEN 'READY' WHEN j.state = 1 THEN 'RUNNING'
             WHEN j.state = 4 THEN 'SUCCESSFUL' ELSE 'FAILED' END AS status,
        j.created_at AS enqueued_at,
        COALESCE((SELECT min(a.started_at) FROM bide_attempts a WHERE a.job_id = j.id),
            (SELECT r.started_at FROM bide_results r WHERE r.job_id = j.id), j.locked_at) AS started_at,
        j.finished_at AS finished_at,
        jsonb_build_object('args', j.payload::jsonb #> '{state,args}',
            'kwargs', j.payload::jsonb #> '{state,kwargs}') AS args_kwargs,
        -j.priority AS priority,
        j.payload::jsonb #>> '{state,task}' AS task_path,
        COALESCE((SELECT jsonb_agg(a.worker) FROM bide_attempts a WHERE a.job_id = j.id),
            (SELECT jsonb_build_array(r.worker) FROM bide_results r WHERE r.job_id = j.id),
            CASE WHEN j.state = 1 THEN jsonb_build_array(j.locked_by) ELSE '[]'::jsonb END) AS worker_ids,
        j.queue AS queue_name,
        j.payload::jsonb #>> '{state,backend}' AS backend_name,
        CASE WHEN j.payload::jsonb #>> '{state,run_after}' IS NULL THEN NULL ELSE j.run_at END AS run_after,
        (SELECT r.value::jsonb FROM bide_results r WHERE r.job_id = j.id) AS return_value,
        '' AS exception_class_path,
        COALESCE(j.last_error, '') AS traceback
    FROM bide_jobs j WHERE j.payload::jsonb ->> 'object' = 'django.task'
    """,
    """
    CREATE OR REPLACE FUNCTION task_results_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE the_key text := replace(COALESCE(NEW.id, OLD.id)::text, '-', '');
    BEGIN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM bide_results WHERE job_id = (SELECT id FROM bide_jobs WHERE key = the_key);
            DELETE FROM bide_attempts WHERE job_id = (SELECT id FROM bide_jobs WHERE key = the_key);
            DELETE FROM bide_jobs WHERE key = the_key;
            RETURN OLD;
        ELSIF TG_OP = 'INSERT' THEN
            INSERT INTO bide_jobs (key, name, queue, priority, state, payload, run_at, created_at, max_attempts)
            VALUES (the_key, NEW.task_path, NEW.queue_name, -NEW.priority,
                CASE WHEN NEW.run_after > NEW.enqueued_at THEN 2 ELSE 0 END,
                json_build_object('v', 1, 'object', 'django.task', 'state', json_build_object(
                    'task', NEW.task_path, 'backend', NEW.backend_name, 'id', NEW.id::text,
                    'args', COALESCE(NEW.args_kwargs -> 'args', '[]'),
                    'kwargs', COALESCE(NEW.args_kwargs -> 'kwargs', '{}'),
                    'run_after', NEW.run_after))::text,
                COALESCE(NEW.run_after, NEW.enqueued_at), NEW.enqueued_at, 1);
            RETURN NEW;
        END IF;
        UPDATE bide_jobs SET
            state = CASE NEW.status WHEN 'RUNNING' THEN 1 WHEN 'SUCCESSFUL' THEN 4 WHEN 'FAILED' THEN 3
                ELSE CASE WHEN NEW.run_after > clock_timestamp() THEN 2 ELSE 0 END END,
            finished_at = NEW.finished_at,
            run_at = COALESCE(NEW.run_after, run_at),
            payload = CASE WHEN NEW.run_after IS NULL
                THEN jsonb_set(payload::jsonb, '{state,run_after}', 'null')::text ELSE payload END
        WHERE key = the_key;
        IF NEW.status = 'SUCCESSFUL' THEN
            INSERT INTO bide_results (job_id, worker, started_at, value, keep_until)
            SELECT id, COALESCE(NEW.worker_ids ->> 0, 'worker'), NEW.started_at,
                COALESCE(NEW.return_value::text, 'null'), '9999-01-01 00:00:00+00'
            FROM bide_jobs WHERE key = the_key
            ON CONFLICT (job_id) DO NOTHING;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER task_results_changed INSTEAD OF INSERT OR UPDATE OR DELETE ON task_results_view
    FOR EACH ROW EXECUTE FUNCTION task_results_changed()
    """,
)


def make(using: str, **_: object) -> None:
    """Behind `migrate`, on the databases that have Bide's tables."""
    from django.db import connections

    connection = connections[using]
    if "bide_jobs" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.vendor]:
            cursor.execute(statement)
