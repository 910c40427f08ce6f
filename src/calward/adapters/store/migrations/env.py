"""What Alembic runs: migrations on the connection that ``calward.adapters.store.migrate`` gives it."""

from alembic import context

from calward.adapters.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
