"""The plugin, which no entry point names in a checkout, and pytest within a test."""

pytest_plugins = ["freshet.pytest_plugin", "pytester"]
