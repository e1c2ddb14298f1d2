"""Alembic's entry point: runs the migrations on the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context

from folkmoot.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
