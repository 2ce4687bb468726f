"""The base class of plugins: a bundle of lifecycle callbacks, applied to an App exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsIndex

from bide.errors import InvalidCallback
from bide.jobs.lifecycle import Lifecycle


class Plugin:
    """Subclass it, register callbacks in `callbacks`, append the class (or an instance) to app.plugins."""

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """Register this plugin's callbacks."""
        raise NotImplementedError(f"{type(self).__name__} must define callbacks(self, lifecycle)")


PluginLike = type[Plugin] | Plugin


class Plugins(list[PluginLike]):
    """The plugins of an App. Adding one applies it at once, adding it again does nothing (DJ-127, DJ-502)."""

    def __init__(self, lifecycle: Lifecycle, plugins: Iterable[PluginLike] = ()) -> None:
        super().__init__()
        self._lifecycle = lifecycle
        self.extend(plugins)

    def append(self, plugin: PluginLike) -> None:
        """Apply `plugin`, unless it was applied before."""
        if plugin in self:
            return
        instance = plugin() if isinstance(plugin, type) else plugin
        if not isinstance(instance, Plugin):
            raise InvalidCallback(
                f"{plugin!r} is no bide.Plugin; subclass it and define callbacks()"
            )
        instance.callbacks(self._lifecycle)
        super().append(plugin)

    def extend(self, plugins: Iterable[PluginLike]) -> None:
        """Append each."""
        for plugin in plugins:
            self.append(plugin)

    def insert(self, index: SupportsIndex, plugin: PluginLike) -> None:
        """Apply `plugin`; its callbacks come last whatever the index."""
        del index
        self.append(plugin)
