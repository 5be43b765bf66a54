-- The tables that 026 drops, as they stand after 025; its downgrade makes them again.
CREATE TABLE trade_intents (
    id bigserial CONSTRAINT pk_trade_intents PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_trade_intents_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    symbol varchar(20) NOT NULL,
    direction varchar(10) NOT NULL CONSTRAINT ck_trade_intents_direction CHECK (direction IN ('long', 'short')),
    timeframe varchar(10),
    entry_price float8,
    stop_loss float8,
    profit_target float8,
    quantity float8,
    rationale text,
    status varchar(20) DEFAULT 'draft' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL);
CREATE TABLE trade_evaluations (
    id bigserial CONSTRAINT pk_trade_evaluations PRIMARY KEY,
    intent_id bigint NOT NULL CONSTRAINT uq_trade_evaluations_intent_id UNIQUE
        CONSTRAINT fk_trade_evaluations_intent_id REFERENCES trade_intents (id) ON DELETE CASCADE,
    score float8,
    summary text,
    evaluated_at timestamptz DEFAULT now() NOT NULL);
CREATE TABLE trade_evaluation_items (
    id bigserial CONSTRAINT pk_trade_evaluation_items PRIMARY KEY,
    evaluation_id bigint NOT NULL
        CONSTRAINT fk_trade_evaluation_items_evaluation_id REFERENCES trade_evaluations (id) ON DELETE CASCADE,
    evaluator varchar(100) NOT NULL,
    code varchar(50) NOT NULL,
    severity varchar(10) NOT NULL
        CONSTRAINT ck_trade_evaluation_items_severity CHECK (severity IN ('info', 'warn', 'critical')),
    message text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL);
CREATE INDEX ix_trade_evaluation_items_evaluation_id ON trade_evaluation_items (evaluation_id);

CREATE TABLE position_lots (
    id bigserial CONSTRAINT pk_position_lots PRIMARY KEY,
    account_id integer NOT NULL
        CONSTRAINT fk_position_lots_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
    symbol varchar(20) NOT NULL,
    direction varchar(10) NOT NULL CONSTRAINT ck_position_lots_direction CHECK (direction IN ('long', 'short')),
    open_fill_id bigint NOT NULL
        CONSTRAINT fk_position_lots_open_fill_id REFERENCES trade_fills (id) ON DELETE CASCADE,
    quantity float8 NOT NULL,
    remaining_quantity float8 NOT NULL,
    open_price float8 NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL);
CREATE INDEX ix_position_lots_account_id_symbol ON position_lots (account_id, symbol);
CREATE TABLE lot_closures (
    id bigserial CONSTRAINT pk_lot_closures PRIMARY KEY,
    lot_id bigint NOT NULL CONSTRAINT fk_lot_closures_lot_id REFERENCES position_lots (id) ON DELETE CASCADE,
    close_fill_id bigint NOT NULL
        CONSTRAINT fk_lot_closures_close_fill_id REFERENCES trade_fills (id) ON DELETE CASCADE,
    quantity float8 NOT NULL,
    close_price float8 NOT NULL,
    realized_pnl float8,
    closed_at timestamptz NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL);
CREATE INDEX ix_lot_closures_lot_id ON lot_closures (lot_id);

CREATE TABLE campaign_legs (
    id bigserial CONSTRAINT pk_campaign_legs PRIMARY KEY,
    campaign_id bigint
        CONSTRAINT fk_campaign_legs_campaign_id REFERENCES position_campaigns (id) ON DELETE SET NULL,
    leg_type varchar(10) NOT NULL
        CONSTRAINT ck_campaign_legs_leg_type CHECK (leg_type IN ('open', 'add', 'reduce', 'close')),
    side varchar(10) NOT NULL CONSTRAINT ck_campaign_legs_side CHECK (side IN ('buy', 'sell')),
    quantity float8 NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL);
CREATE INDEX ix_campaign_legs_campaign_id ON campaign_legs (campaign_id);

CREATE TABLE leg_fill_map (
    id bigserial CONSTRAINT pk_leg_fill_map PRIMARY KEY,
    leg_id bigint NOT NULL CONSTRAINT fk_leg_fill_map_leg_id REFERENCES campaign_legs (id) ON DELETE CASCADE,
    fill_id bigint NOT NULL CONSTRAINT fk_leg_fill_map_fill_id REFERENCES trade_fills (id) ON DELETE CASCADE,
    quantity float8 NOT NULL,
    CONSTRAINT uq_leg_fill_map_leg_id_fill_id UNIQUE (leg_id, fill_id));
CREATE INDEX ix_leg_fill_map_fill_id ON leg_fill_map (fill_id)
