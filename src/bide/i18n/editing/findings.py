"""What a check has to say about one text."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning"]

ERROR: Final = "error"
WARNING: Final = "warning"

#: Check -> what it says in English; `{names}` are the placeholders, tags or forms in question.
MESSAGES: Final = {
    "unknown_placeholder": "the source text has no placeholder {names}",
    "reserved_placeholder": "{names} is the name of an option and can be no placeholder",
    "broken_placeholder": "{names} looks like a placeholder and is none; write %{{name}}",
    "refused_format": "{names} is refused: no p, and no wider than 100 characters",
    "missing_placeholder": "the placeholder {names} of the source text is missing",
    "other_format": "{names} is printed in another way than in the source text",
    "missing_other": "the form `other` is missing; every count without a form of its own needs it",
    "missing_form": "the form {names} is missing; `other` is used instead",
    "unknown_form": "this language has no form {names}; it is never used",
    "not_plural": "the source text has plural forms, this one has none",
    "unwanted_plural": "the source text has no plural forms, this one has",
    "other_kind": "the source is {names}",
    "list_length": "the source has {names} entries",
    "unsafe_markup": "{names} is not allowed in texts",
    "unknown_markup": "the source text has no {names}",
    "missing_markup": "{names} of the source text is missing",
    "unbalanced_markup": "{names} is opened and not closed, or the reverse",
    "outer_space": "space or line breaks at the {names} differ from the source text",
    "control_character": "there is an invisible control character: {names}",
    "too_long": "the text is longer than {names} bytes",
    "unreadable": "what is stored cannot be read: {names}",
}  # fmt: skip


class Finding(NamedTuple):
    """One finding. An `error` must not go live; a `warning` may, if somebody confirms it.

    `check` names the check (a key of MESSAGES), `names` what it is about, `form` the plural form or
    the position in a list (empty: the text as a whole).
    """

    check: str
    severity: Severity
    names: tuple[str, ...] = ()
    form: str = ""

    @property
    def message(self) -> str:
        """The finding as an English sentence."""
        said = MESSAGES[self.check].format(names=", ".join(self.names))
        return f"{self.form}: {said}" if self.form else said


def has_errors(findings: tuple[Finding, ...] | list[Finding]) -> bool:
    """Whether any finding forbids to publish the text."""
    return any(finding.severity == ERROR for finding in findings)
