"""The texts, in the i18n gem's words."""
