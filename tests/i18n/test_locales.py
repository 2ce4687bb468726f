"""Locale tags and the lists of locales that a text is looked for in."""

import pytest

from bide.errors import Disabled
from bide.i18n import LocaleFallbacks, Rfc4646Tag, SimpleTag, rfc4646_parents

FULL = "de-Latn-DE-1996-a-foo-x-phonebk-i-klingon"


@pytest.mark.parametrize(
    ("defaults", "map_", "locale", "found"),
    [
        ((), {}, "de-AT", ["de-AT", "de"]),
        ((), {"de-AT": "de-DE"}, "de-AT", ["de-AT", "de", "de-DE"]),
        (("en-GB",), {"de-AT": "de-DE"}, "de-AT", ["de-AT", "de", "de-DE", "en-GB", "en"]),
        ((["en-GB"],), {}, "de", ["de", "en-GB", "en"]),
        ((["de-DE", "en-US"],), {}, "fr", ["fr", "de-DE", "de", "en-US", "en"]),
        (("en-US",), {}, "es", ["es", "en-US", "en"]),
        (("en-US",), {}, "es-ES", ["es-ES", "es", "en-US", "en"]),
        (("en-US",), {}, "es-MX", ["es-MX", "es", "en-US", "en"]),
        (("en-US",), {}, "es-Latn-ES", ["es-Latn-ES", "es-Latn", "es", "en-US", "en"]),
        (("en-US",), {}, "en", ["en", "en-US"]),
        (("en-US",), {}, "en-US", ["en-US", "en"]),
        ((), {"ca": "es-ES"}, "ca", ["ca", "es-ES", "es"]),
        ((), {"ca": "es-ES"}, "ca-ES", ["ca-ES", "ca", "es-ES", "es"]),
        ((), {"ar-PS": "he-IL"}, "ar", ["ar"]),
        ((), {"ar-PS": "he-IL"}, "ar-EG", ["ar-EG", "ar"]),
        ((), {"ar-PS": "he-IL"}, "ar-PS", ["ar-PS", "ar", "he-IL", "he"]),
        ((), {"ar-PS": ["he-IL", "fr"]}, "ar-PS", ["ar-PS", "ar", "he-IL", "he", "fr"]),
        ((), {"de-AT": "de-DE"}, "de", ["de"]),
        ((), {"de-AT": "de-DE"}, "de-DE", ["de-DE", "de"]),
        ((), {}, "he", ["he"]),
        ((), {"no": "nb", "nb": "no"}, "no", ["no", "nb"]),
        ((), {"no": "nb", "nb": "no"}, "nb", ["nb", "no"]),
    ],
)  # fmt: skip
def test_the_list_is_parents_then_mapped_then_defaults(
    defaults: tuple[object, ...], map_: dict[str, object], locale: str, found: list[str]
) -> None:
    """I18N-527..530, I18N-532..551."""
    fallbacks = LocaleFallbacks(*defaults, map=map_)  # type: ignore[arg-type]
    assert fallbacks[locale] == found
    assert fallbacks[locale] == found


def test_defaults_stay_until_they_are_set() -> None:
    """I18N-531."""
    fallbacks = LocaleFallbacks("en")
    assert fallbacks["de"] == ["de", "en"]
    fallbacks.defaults = ["pt-BR"]
    assert fallbacks["de"] == ["de", "pt-BR", "pt"]


def test_a_disabled_locale_has_no_list() -> None:
    """I18N-552."""
    with pytest.raises(Disabled):
        LocaleFallbacks()[False]  # type: ignore[index]


def test_the_mapping_can_be_read() -> None:
    """I18N-553..555."""
    fallbacks = LocaleFallbacks("en", map={"ca": "es"})
    assert list(fallbacks) == ["ca"]
    assert not LocaleFallbacks()
    assert LocaleFallbacks("en")
    assert LocaleFallbacks(map={"a": "b"})
    assert repr(fallbacks) == "LocaleFallbacks(defaults=['en'], map={'ca': ['es']})"


def test_tags_of_the_rfc_have_seven_parts() -> None:
    """I18N-556..570."""
    assert str(Rfc4646Tag.parse("de")) == "de"
    assert Rfc4646Tag.parse("de-DE") == Rfc4646Tag(language="de", region="DE")
    for spelled in ("de-latn-de-variant-x-phonebk", "DE-LATN-DE-VARIANT-X-PHONEBK"):
        tag = Rfc4646Tag.parse(spelled)
        assert tag is not None
        assert (tag.language, tag.script, tag.region, tag.variant) == (
            "de",
            "Latn",
            "DE",
            "variant",
        )
        assert str(tag.privateuse).lower() == "x-phonebk"
    assert Rfc4646Tag.parse("a-DE") is None
    assert Rfc4646Tag.parse("de-419-DE") is None
    tag = Rfc4646Tag.parse(FULL)
    assert tag is not None
    assert tag.extension == "a-foo"
    assert tag.privateuse == "x-phonebk"
    assert tag.grandfathered == "i-klingon"
    assert str(tag) == FULL
    assert tag.subtags == ["de", "Latn", "DE", "1996", "a-foo", "x-phonebk", "i-klingon"]


def test_each_parent_has_one_part_less() -> None:
    """I18N-571..578."""
    expected = [
        FULL, "de-Latn-DE-1996-a-foo-x-phonebk", "de-Latn-DE-1996-a-foo", "de-Latn-DE-1996",
        "de-Latn-DE", "de-Latn", "de",
    ]  # fmt: skip
    tag = Rfc4646Tag.parse(FULL)
    assert tag is not None
    assert [str(each) for each in tag.self_and_parents] == expected
    assert str(tag.parent) == expected[1]
    assert Rfc4646Tag(language="de").parent is None
    assert rfc4646_parents("DE-latn") == ("de-Latn", "de")
    assert rfc4646_parents("a-DE") == ("a-DE",)
    assert LocaleFallbacks(parents_of=rfc4646_parents)["de-latn"] == ["de-Latn", "de"]


def test_simple_tags_are_cut_at_hyphens() -> None:
    """I18N-579..584."""
    tag = SimpleTag("de-Latn-DE")
    assert tag.subtags == tag.to_list() == ["de", "Latn", "DE"]
    assert str(tag) == "de-Latn-DE"
    assert tag.parent == SimpleTag("de-Latn")
    assert SimpleTag("de-Latn").parent == SimpleTag("de")
    assert SimpleTag("de").parent is None
    assert tag.self_and_parents == [tag, SimpleTag("de-Latn"), SimpleTag("de")]
