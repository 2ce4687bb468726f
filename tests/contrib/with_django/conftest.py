"""The projects and shims here are run by Django's own runner, in processes of their own."""

collect_ignore_glob = ["project/*", "suites/*", "connecting/*"]
