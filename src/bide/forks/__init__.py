"""The guarantee that no connection crosses a fork; knows neither databases nor jobs."""

from bide.forks.owned import Owned

__all__ = ["Owned"]
