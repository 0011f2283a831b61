"""The local stack: a real Kafka, a real Postgres and our processes under one supervisor."""
