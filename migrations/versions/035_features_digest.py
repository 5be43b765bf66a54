"""Add a digest of the stored features.

`features_digest` says what was rendered into `features`, so that a full recompute rewrites the rows that differ and
leaves the rest alone, without reading the JSON back. Whoever changes `features` in another way makes the digest
unknown, and the next `features compute` writes that row again.
"""

import sqlalchemy as sa
from alembic import op

revision = "035"
down_revision = "034"
branch_labels = None
depends_on = None

FORGET = """
CREATE FUNCTION computed_features_forget_digest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.features_digest := NULL;
    RETURN NEW;
END
$$
"""

# A digest that came with the new features differs from the old one, so that the features are not even compared.
TRIGGER = """
CREATE TRIGGER computed_features_forget_digest BEFORE UPDATE OF features ON computed_features FOR EACH ROW
WHEN (NEW.features_digest IS NOT DISTINCT FROM OLD.features_digest AND NEW.features IS DISTINCT FROM OLD.features)
EXECUTE FUNCTION computed_features_forget_digest()
"""


def upgrade() -> None:
    op.add_column("computed_features", sa.Column("features_digest", sa.BigInteger(), nullable=True))
    op.execute(FORGET)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER IF EXISTS computed_features_forget_digest ON computed_features")
    op.execute("DROP FUNCTION IF EXISTS computed_features_forget_digest()")
    op.drop_column("computed_features", "features_digest")
