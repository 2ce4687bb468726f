"""The guarantee that no connection crosses a fork; knows neither databases nor jobs."""
