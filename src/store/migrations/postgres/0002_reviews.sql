-- Repositories are known by the endpoint they are reached through and their full name.

CREATE TABLE reviews (
    endpoint     TEXT   NOT NULL,
    repository   TEXT   NOT NULL,
    -- The check's own id: the same for every try.
    key          TEXT   NOT NULL,
    -- Null for a merge queue's group.
    pull_request BIGINT,
    base_branch  TEXT   NOT NULL,
    head         TEXT   NOT NULL,
    merge_base   TEXT   NOT NULL,
    verdict      TEXT   NOT NULL CHECK (verdict IN ('pass', 'fail', 'error')),
    -- JSON, packed.
    report       BYTEA  NOT NULL,
    -- A JSON object of milliseconds by step.
    timings      TEXT   NOT NULL,
    started_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    PRIMARY KEY (endpoint, repository, key)
);

-- Packed by us already.
ALTER TABLE reviews ALTER COLUMN report SET STORAGE EXTERNAL;

CREATE INDEX reviews_of_pull_request ON reviews (endpoint, repository, pull_request, finished_at);
CREATE INDEX reviews_finished ON reviews (finished_at);

CREATE TABLE checks (
    endpoint     TEXT   NOT NULL,
    repository   TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    pull_request BIGINT,
    head         TEXT   NOT NULL,
    -- What the host calls it; null until it has answered.
    host_id      TEXT,
    -- Null while in progress.
    conclusion   TEXT   CHECK (conclusion IN ('success', 'failure', 'cancelled')),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (endpoint, repository, key)
);

CREATE INDEX checks_of_head ON checks (endpoint, repository, head);
CREATE INDEX checks_in_progress ON checks (endpoint, repository, pull_request) WHERE conclusion IS NULL;
CREATE INDEX checks_updated ON checks (updated_at);

CREATE TABLE pull_requests (
    endpoint    TEXT   NOT NULL,
    repository  TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    head        TEXT   NOT NULL,
    base_branch TEXT   NOT NULL,
    is_open     BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    PRIMARY KEY (endpoint, repository, number)
);

CREATE INDEX pull_requests_of_head ON pull_requests (endpoint, repository, head);
CREATE INDEX pull_requests_into_branch ON pull_requests (endpoint, repository, base_branch) WHERE is_open = 1;

CREATE TABLE installations (
    endpoint   TEXT   NOT NULL,
    access     TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('active', 'suspended', 'removed')),
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint, access)
);
