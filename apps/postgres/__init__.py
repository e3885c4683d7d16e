"""What rooms need of PostgreSQL beyond Django: enum columns, bulk upsert, estimated counts."""
