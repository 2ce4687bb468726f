"""The pytest plugin of Bide: fixtures for applications that use it."""
