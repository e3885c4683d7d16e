"""What rooms need of PostgreSQL beyond Django: enum columns, COPY, bulk upsert, advisory locks."""
