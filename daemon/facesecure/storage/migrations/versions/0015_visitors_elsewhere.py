"""Give visitors a number that all doors of a household know, and store what other doors have seen of them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns and the table: nothing of other doors is known so far."""
    op.add_column("visitors", sa.Column("uid", sa.String(32), nullable=False, server_default=""))
    op.execute("UPDATE visitors SET uid = lower(hex(randomblob(16)))")
    op.create_index("ix_visitors_uid", "visitors", ["uid"])
    op.add_column("marked_faces", sa.Column("door", sa.String(32)))
    op.create_table(
        "visitors_elsewhere",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("visitor_id", sa.Integer, sa.ForeignKey("visitors.id", ondelete="CASCADE"), nullable=False),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("door", sa.String(32), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
        sa.Column("visits", sa.Integer, nullable=False),
        sa.Column("person", sa.String(32)),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_visitors_elsewhere_visitor_id", "visitors_elsewhere", ["visitor_id"])
    op.create_index("ix_visitors_elsewhere_door", "visitors_elsewhere", ["door", "uid"])
