"""The trading ledger: fills that nobody changes, marks on them, events, books, and campaigns with their results."""

from alembic import op

revision = "033"
down_revision = "032"
branch_labels = None
depends_on = None

# A fill's facts are final. Two things may touch a row: a foreign key that forgets a removed connection or broker
# account, and the removal of the user the fill belongs to, which the schema decides with ON DELETE CASCADE.
GUARD = """
CREATE FUNCTION guard_trade_fills() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    forgotten trade_fills;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        forgotten := OLD;
        IF NEW.broker_connection_id IS NULL THEN
            forgotten.broker_connection_id := NULL;
        END IF;
        IF NEW.broker_account_id IS NULL THEN
            forgotten.broker_account_id := NULL;
        END IF;
        IF pg_trigger_depth() > 1 AND NEW IS NOT DISTINCT FROM forgotten THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF pg_trigger_depth() > 1 AND NOT EXISTS (SELECT FROM user_accounts WHERE id = OLD.account_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'trade_fills is a ledger: a fill is never changed or deleted'
        USING ERRCODE = 'restrict_violation',
              HINT = 'algomatic fills void, correct or ignore puts a mark on it, with a reason';
END
$$;
CREATE TRIGGER trade_fills_are_final BEFORE UPDATE OR DELETE ON trade_fills
    FOR EACH ROW EXECUTE FUNCTION guard_trade_fills();
CREATE TRIGGER trade_fills_are_kept BEFORE TRUNCATE ON trade_fills
    FOR EACH STATEMENT EXECUTE FUNCTION guard_trade_fills();
"""

BOOKS = """
CREATE TABLE broker_accounts (
    id serial CONSTRAINT pk_broker_accounts PRIMARY KEY,
    user_account_id integer NOT NULL
        CONSTRAINT fk_broker_accounts_user_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    broker_connection_id integer NOT NULL
        CONSTRAINT fk_broker_accounts_broker_connection_id REFERENCES broker_connections (id) ON DELETE CASCADE,
    snaptrade_account_id varchar(255) CONSTRAINT uq_broker_accounts_snaptrade_account_id UNIQUE,
    name varchar(255) NOT NULL,
    number varchar(50),
    is_active boolean DEFAULT true NOT NULL,
    synced_through date,
    last_synced_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL
);
CREATE INDEX ix_broker_accounts_user_account_id ON broker_accounts (user_account_id);
CREATE INDEX ix_broker_accounts_broker_connection_id ON broker_accounts (broker_connection_id);

ALTER TABLE trade_fills
    ALTER COLUMN symbol TYPE varchar(64),
    ADD COLUMN broker_account_id integer
        CONSTRAINT fk_trade_fills_broker_account_id REFERENCES broker_accounts (id) ON DELETE SET NULL,
    ADD COLUMN multiplier double precision,
    ADD COLUMN action varchar(40),
    ADD COLUMN is_date_only boolean DEFAULT false NOT NULL,
    ADD COLUMN execution_id varchar(255),
    ADD COLUMN reference_id varchar(255),
    ADD COLUMN activity_id varchar(255),
    ADD COLUMN occurrence integer DEFAULT 1 NOT NULL,
    ADD COLUMN sequence bigint,
    ADD COLUMN feed varchar(30);
CREATE INDEX ix_trade_fills_account_executed ON trade_fills (account_id, executed_at);
CREATE INDEX ix_trade_fills_broker_connection_id ON trade_fills (broker_connection_id);

CREATE TABLE import_batches (
    id bigserial CONSTRAINT pk_import_batches PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_import_batches_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    broker_account_id integer
        CONSTRAINT fk_import_batches_broker_account_id REFERENCES broker_accounts (id) ON DELETE SET NULL,
    feed varchar(30) NOT NULL,
    source varchar(255) NOT NULL,
    sha256 varchar(64),
    first_day date,
    last_day date,
    summary jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL
);
CREATE INDEX ix_import_batches_account_id ON import_batches (account_id);
"""

MARKS = """
CREATE TABLE fill_marks (
    fill_id bigint CONSTRAINT pk_fill_marks PRIMARY KEY
        CONSTRAINT fk_fill_marks_fill_id REFERENCES trade_fills (id) ON DELETE CASCADE,
    account_id integer NOT NULL
        CONSTRAINT fk_fill_marks_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    kind varchar(10) NOT NULL CONSTRAINT ck_fill_marks_kind CHECK (kind IN ('void', 'ignore', 'supersede')),
    reason text NOT NULL,
    superseded_by bigint CONSTRAINT uq_fill_marks_superseded_by UNIQUE
        CONSTRAINT fk_fill_marks_superseded_by REFERENCES trade_fills (id) ON DELETE CASCADE,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT ck_fill_marks_superseded_by CHECK ((kind = 'supersede') = (superseded_by IS NOT NULL))
);
CREATE INDEX ix_fill_marks_account_id ON fill_marks (account_id);

CREATE VIEW effective_fills AS
    SELECT f.* FROM trade_fills f WHERE NOT EXISTS (SELECT FROM fill_marks m WHERE m.fill_id = f.id);

CREATE TABLE ledger_events (
    id bigserial CONSTRAINT pk_ledger_events PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_ledger_events_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    broker_connection_id integer
        CONSTRAINT fk_ledger_events_broker_connection_id REFERENCES broker_connections (id) ON DELETE SET NULL,
    broker_account_id integer
        CONSTRAINT fk_ledger_events_broker_account_id REFERENCES broker_accounts (id) ON DELETE SET NULL,
    identity varchar(255) NOT NULL,
    kind varchar(10) NOT NULL
        CONSTRAINT ck_ledger_events_kind CHECK (kind IN ('split', 'grant', 'transfer', 'opening')),
    type varchar(40) NOT NULL,
    symbol varchar(64) NOT NULL,
    asset_type varchar(20) NOT NULL,
    currency varchar(10) NOT NULL,
    multiplier numeric,
    effective_at timestamptz NOT NULL,
    quantity numeric DEFAULT 0 NOT NULL,
    ratio_new numeric,
    ratio_old numeric,
    price numeric,
    fees numeric DEFAULT 0 NOT NULL,
    feed varchar(30) NOT NULL,
    import_batch_id bigint,
    raw_data jsonb,
    voided_at timestamptz,
    void_reason text,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT uq_ledger_events_account_id_identity UNIQUE (account_id, identity)
);

CREATE TABLE fill_quarantine (
    id bigserial CONSTRAINT pk_fill_quarantine PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_fill_quarantine_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    import_batch_id bigint,
    feed varchar(30) NOT NULL,
    source varchar(255) NOT NULL,
    line integer NOT NULL,
    reason text NOT NULL,
    record jsonb DEFAULT '{}'::jsonb NOT NULL,
    digest varchar(64) NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT uq_fill_quarantine_account_id_digest UNIQUE (account_id, digest)
);
"""

CAMPAIGNS = """
ALTER TABLE campaign_fills
    ADD COLUMN quantity double precision,
    ADD COLUMN position double precision;

CREATE TABLE campaigns (
    group_id bigint CONSTRAINT pk_campaigns PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_campaigns_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    broker_connection_id integer,
    broker_account_id integer,
    symbol varchar(64) NOT NULL,
    asset_type varchar(20) NOT NULL,
    currency varchar(10) NOT NULL,
    multiplier numeric NOT NULL,
    direction varchar(5) NOT NULL CONSTRAINT ck_campaigns_direction CHECK (direction IN ('long', 'short')),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    fills integer NOT NULL,
    quantity numeric NOT NULL,
    max_quantity numeric NOT NULL,
    open_quantity numeric NOT NULL,
    open_basis numeric,
    open_fees numeric NOT NULL,
    fees numeric NOT NULL,
    fees_unknown integer NOT NULL,
    opened_by_sell boolean NOT NULL,
    basis_known boolean NOT NULL
);
CREATE INDEX ix_campaigns_account_opened ON campaigns (account_id, opened_at);

-- Derived, and written half a million rows at a time: the account is kept true by a trigger, not by a key that is
-- checked row by row.
CREATE TABLE realised_events (
    fill_id bigint NOT NULL,
    matched boolean NOT NULL,
    account_id integer NOT NULL,
    group_id bigint,
    day date NOT NULL,
    realised_at timestamptz NOT NULL,
    quantity numeric NOT NULL,
    gross numeric,
    fees numeric NOT NULL,
    net numeric,
    cost numeric,
    CONSTRAINT pk_realised_events PRIMARY KEY (fill_id, matched),
    CONSTRAINT ck_realised_events_matched CHECK (matched = (group_id IS NOT NULL))
);
CREATE INDEX ix_realised_events_account_day ON realised_events (account_id, day);
CREATE FUNCTION forget_realised_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM realised_events WHERE account_id = OLD.id;
    RETURN OLD;
END
$$;
CREATE TRIGGER user_accounts_forget_realised_events AFTER DELETE ON user_accounts
    FOR EACH ROW EXECUTE FUNCTION forget_realised_events();
"""

UNDO = """
DROP VIEW effective_fills;
DROP TRIGGER trade_fills_are_kept ON trade_fills;
DROP TRIGGER trade_fills_are_final ON trade_fills;
DROP FUNCTION guard_trade_fills();
DROP TRIGGER user_accounts_forget_realised_events ON user_accounts;
DROP FUNCTION forget_realised_events();
DROP TABLE realised_events, campaigns, fill_quarantine, ledger_events, fill_marks, import_batches;
ALTER TABLE campaign_fills DROP COLUMN position, DROP COLUMN quantity;
DROP INDEX ix_trade_fills_broker_connection_id;
DROP INDEX ix_trade_fills_account_executed;
ALTER TABLE trade_fills
    DROP COLUMN feed, DROP COLUMN sequence, DROP COLUMN occurrence, DROP COLUMN activity_id, DROP COLUMN reference_id,
    DROP COLUMN execution_id, DROP COLUMN is_date_only, DROP COLUMN action, DROP COLUMN multiplier,
    DROP COLUMN broker_account_id,
    ALTER COLUMN symbol TYPE varchar(20) USING left(symbol, 20);
DROP TABLE broker_accounts;
"""


def upgrade() -> None:
    for statements in (BOOKS, MARKS, CAMPAIGNS, GUARD):
        op.execute(statements)


def downgrade() -> None:
    op.execute(UNDO)
