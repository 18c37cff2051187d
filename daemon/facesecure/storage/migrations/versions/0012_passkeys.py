"""Add the passkeys of accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table; no account has a passkey so far."""
    op.create_table(
        "passkeys",
        sa.Column("credential_sha256", sa.String(64), primary_key=True),
        sa.Column("identifier", sa.String(32), nullable=False),
        sa.Column("account", sa.String(32), sa.ForeignKey("accounts.uid", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("host", sa.String(253), nullable=False),
        sa.Column("credential", sa.String(4096), nullable=False),
        sa.Column("signed", sa.Integer),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"])
