"""Add the accounts of the page: their sessions, one-time links, failed tries, and tokens for live pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables, and the counter of their changes."""
    _accounts()
    op.create_table(
        "invitations",
        sa.Column("code_sha256", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("edition", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("what", sa.String(64), primary_key=True),
        sa.Column("level", sa.Float),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "live_tokens",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("identifier", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("cameras", sa.JSON, nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "accounts", "value": 0}])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(256), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("edition", sa.String(32), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("identifier", sa.String(32), nullable=False),
        sa.Column("account", sa.String(32), sa.ForeignKey("accounts.uid", ondelete="CASCADE"), nullable=False),
        sa.Column("edition", sa.String(32), nullable=False),
        sa.Column("began_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime, nullable=False),
        sa.Column("confirmed_at", sa.DateTime, nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
