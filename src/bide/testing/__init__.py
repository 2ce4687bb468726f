"""Help for tests: of applications that use Bide, and contracts for other stores and backends."""
