-- Times are milliseconds since 1970, UTC.

CREATE TABLE deliveries (
    endpoint    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    -- Packed; null when its time is over.
    body        BYTEA,
    size_bytes  BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint, id)
);

-- Packed by us already.
ALTER TABLE deliveries ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX deliveries_received ON deliveries (received_at);
CREATE INDEX deliveries_with_body ON deliveries (received_at) WHERE body IS NOT NULL;

CREATE TABLE jobs (
    -- A UUID of version 7: sorts by the time it was made.
    id          TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    payload     TEXT   NOT NULL,
    -- Jobs of one key are the same job.
    key         TEXT,
    -- Jobs of one lane run one at a time.
    lane        TEXT,
    priority    BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead', 'superseded')),
    run_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    lease       TEXT,
    lease_until BIGINT,
    -- 1 when a running job is asked to stop.
    cancel      BIGINT NOT NULL,
    last_error  TEXT,
    -- The delivery that led to it.
    endpoint    TEXT,
    delivery    TEXT,
    created_at  BIGINT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT
);

CREATE UNIQUE INDEX jobs_ready_key ON jobs (key) WHERE state = 'ready';
CREATE INDEX jobs_running_key ON jobs (key) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_running_lane ON jobs (lane) WHERE state = 'running';
CREATE INDEX jobs_ready_lane ON jobs (lane) WHERE state = 'ready';
CREATE INDEX jobs_next ON jobs (priority DESC, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (kind) WHERE state = 'dead';
CREATE INDEX jobs_of_delivery ON jobs (endpoint, delivery);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
