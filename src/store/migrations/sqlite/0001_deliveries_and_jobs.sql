-- Times are milliseconds since 1970, UTC.

CREATE TABLE deliveries (
    endpoint    TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    -- Packed; null when its time is over.
    body        BLOB,
    size_bytes  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (endpoint, id)
) STRICT;

CREATE INDEX deliveries_received ON deliveries (received_at);
CREATE INDEX deliveries_with_body ON deliveries (received_at) WHERE body IS NOT NULL;

CREATE TABLE jobs (
    -- A UUID of version 7: sorts by the time it was made.
    id          TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    -- Jobs of one key are the same job.
    key         TEXT,
    -- Jobs of one lane run one at a time.
    lane        TEXT,
    priority    INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead', 'superseded')),
    run_at      INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    lease       TEXT,
    lease_until INTEGER,
    -- 1 when a running job is asked to stop.
    cancel      INTEGER NOT NULL,
    last_error  TEXT,
    -- The delivery that led to it.
    endpoint    TEXT,
    delivery    TEXT,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER
) STRICT;

CREATE UNIQUE INDEX jobs_ready_key ON jobs (key) WHERE state = 'ready';
CREATE INDEX jobs_running_key ON jobs (key) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_running_lane ON jobs (lane) WHERE state = 'running';
CREATE INDEX jobs_ready_lane ON jobs (lane) WHERE state = 'ready';
CREATE INDEX jobs_next ON jobs (priority DESC, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (kind) WHERE state = 'dead';
CREATE INDEX jobs_of_delivery ON jobs (endpoint, delivery);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
