"""In which language rdsim tells what it found: English, or one that has a catalogue beside this file.

English stands in the code, as the name of each text in the catalogues: `_("The plan funds {number}.")`. Who reads
another language is told the catalogue's text in its place, with the particles, plurals, lists and marks of numbers of
that language. English costs nothing: no catalogue is read, and Babel is not imported. See docs/languages.md.

What is computed is told in English, by texts that know what they say (`Message`): a run keeps that beside its manifest,
so that its page can be drawn in any language, whenever it was made, and no file but the page depends on the language.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from rdsim.errors import Fault, InputError

if TYPE_CHECKING:
    from rdsim.languages.catalogue import Catalogue

__all__ = [
    "ENGLISH",
    "NP_",
    "N_",
    "VARIABLE",
    "Message",
    "active",
    "gettext",
    "join_texts",
    "keeping",
    "kept_texts",
    "language_codes",
    "listing",
    "marks",
    "moment",
    "ngettext",
    "noting",
    "pgettext",
    "readers_language",
    "require",
    "retold",
    "script_texts",
    "speaking",
    "unit_of_money",
    "with_amounts",
    "with_particles",
]

ENGLISH = "en"
VARIABLE = "RDSIM_LANGUAGE"
"""The environment variable that says which language is meant where none is asked for."""

_ACTIVE: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language_codes() -> tuple[str, ...]:
    """Codes of the languages that rdsim speaks, English first."""
    return (ENGLISH, *sorted(path.stem for path in Path(__file__).parent.glob("*.po")))


def require(language: str) -> str:
    """The code of a language, if rdsim speaks it. Raises InputError with what may have been meant."""
    if language in language_codes():
        return language
    found = language_codes()
    close = difflib.get_close_matches(language.casefold(), [*found, *_NAMES], n=1, cutoff=0.7)
    meant = f"Did you mean {_NAMES.get(close[0], close[0])!r}?" if close else f"There are {', '.join(found)}."
    raise InputError((Fault("language", "must be one that rdsim speaks", repr(language), meant),))


_NAMES = {"english": "en", "korean": "ko", "kr": "ko", "kor": "ko", "ko-kr": "ko", "ko_kr": "ko", "한국어": "ko"}
"""What else people call the languages."""


def readers_language() -> str:
    """The code of the language that the environment asks for; English where it asks for none that rdsim speaks."""
    asked = os.environ.get(VARIABLE, ENGLISH)
    return asked if asked in language_codes() else ENGLISH


def active() -> str:
    """The code of the language that is spoken now."""
    return _ACTIVE.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Meanwhile texts are told in that language. Raises InputError for one that rdsim does not speak."""
    before = _ACTIVE.set(require(language))
    try:
        yield
    finally:
        _ACTIVE.reset(before)


def _catalogue(language: str) -> Catalogue:
    # Babel takes a tenth of a second to import: only who speaks another language than English pays.
    from rdsim.languages.catalogue import catalogue_of  # noqa: PLC0415

    return catalogue_of(language)


# --- texts ----------------------------------------------------------------------------------------

_NOTED: ContextVar[dict[str, Message] | None] = ContextVar("noted", default=None)


class Message(str):
    """A text in English that knows what it says, so that whoever reads it later can be told it in another language.

    It is a text like any other; what is put together from it by hand is one that knows no more.
    """

    says: Mapping[str, object]
    """As JSON has it: `text` with `context`, or `one`, `many` and `number`; what is put in, `with`; or a `list`."""

    def __new__(cls, text: str, says: Mapping[str, object]) -> Self:
        """The text, and what it says."""
        found = super().__new__(cls, text)
        found.says = says
        noted = _NOTED.get()
        if noted is not None:
            noted[text] = found
        return found

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        """For copies and other processes."""
        return str(self), self.says

    def format(self, *given: object, **named: object) -> str:
        """The text filled in; it knows with what."""
        if given:
            raise TypeError("a text is filled in by name: translations may need another order")
        noted = _NOTED.get() or {}
        known = {name: noted.get(one, one) if type(one) is str else one for name, one in named.items()}
        return Message(super().format(**named), {**self.says, "with": known})


def gettext(message: str) -> str:
    """A text in the active language; in English, the text itself."""
    language = _ACTIVE.get()
    return Message(message, {"text": message}) if language == ENGLISH else _catalogue(language).text(message)


def ngettext(one: str, many: str, number: int) -> str:
    """A text about so many things."""
    language = _ACTIVE.get()
    if language == ENGLISH:
        return Message(one if number == 1 else many, {"one": one, "many": many, "number": number})
    return _catalogue(language).plural(one, many, number)


def pgettext(context: str, message: str) -> str:
    """A text whose English has several meanings, of which the context names one."""
    language = _ACTIVE.get()
    if language == ENGLISH:
        return Message(message, {"text": message, "context": context})
    return _catalogue(language).text(message, context)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """The text as it is: it is told later, by `gettext`, and stands in the catalogue because it is marked here."""
    return message


def NP_(context: str, message: str) -> str:  # noqa: N802 - as above
    """As `N_`, of a text that `pgettext` tells."""
    del context
    return message


def listing(names: Sequence[str]) -> str:
    """Names as in a sentence: a, b and c."""
    language = _ACTIVE.get()
    if language != ENGLISH:
        return _catalogue(language).listing([retold(name) for name in names])
    return Message(" and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])), {"list": list(names)})


def join_texts(parts: Sequence[str], mark: str) -> str:
    """Parts that stand on their own, with a mark between them."""
    language = _ACTIVE.get()
    if language != ENGLISH:
        return mark.join(retold(part) for part in parts)
    return Message(mark.join(parts), {"list": list(parts), "mark": mark})


def script_texts() -> dict[str, list[str]]:
    """What the scripts of pages say in the active language, by their English; each in its plural forms."""
    language = _ACTIVE.get()
    return {} if language == ENGLISH else _catalogue(language).of_scripts()


# --- what was told in English and kept ------------------------------------------------------------

_KEPT: ContextVar[Mapping[str, Any]] = ContextVar("kept", default={})  # noqa: B039 - nobody changes it
_TELLING: ContextVar[frozenset[str]] = ContextVar("telling", default=frozenset())
"""Texts that are being told again: what one of them is filled in with may be that text itself."""


def retold(text: str) -> str:
    """A text that was told in English, in the active language: one that knows what it says, or that was kept."""
    if _ACTIVE.get() == ENGLISH:
        return text
    says = text.says if isinstance(text, Message) else _KEPT.get().get(text)
    above = _TELLING.get()
    if says is None or (text in above and not isinstance(text, Message)):  # a list of one name says that name
        return text
    before = _TELLING.set(above | {text})
    try:
        return _tell(says)
    except (AttributeError, KeyError, LookupError, TypeError, ValueError):
        return text  # what was kept is no more as it was written: English stands there anyway
    finally:
        _TELLING.reset(before)


def _tell(says: Any) -> str:
    """What is said, in the active language."""
    if "list" in says:
        parts = [_value(one) for one in says["list"]]
        return join_texts(parts, says["mark"]) if "mark" in says else listing(parts)
    if "one" in says:
        text = ngettext(says["one"], says["many"], says["number"])
    else:
        text = pgettext(says["context"], says["text"]) if "context" in says else gettext(says["text"])
    return text.format(**{name: _value(one) for name, one in says["with"].items()}) if "with" in says else text


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _tell(value)
    return retold(value) if isinstance(value, str) else value


def kept_texts(*found: object) -> dict[str, Any]:
    """What the texts in some records and lists say, by their English, as JSON has it; of those that know it."""
    return {str(text): _plain(text) for one in found for text in _texts_in(one)}


def _texts_in(found: object) -> Iterator[Message]:
    if isinstance(found, Message):
        yield found
    elif isinstance(found, Mapping):
        for one in found.values():
            yield from _texts_in(one)
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _texts_in(one)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {name: _plain(one) for name, one in value.says.items()}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@contextmanager
def noting(known: Mapping[str, Message] = MappingProxyType({})) -> Iterator[Mapping[str, Message]]:
    """Meanwhile every text that is told is noted, by its English, beside those that are `known`.

    Tables keep texts, and not what they say: what is filled in with a text that was noted knows it again.
    """
    noted = dict(known)
    before = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(before)


@contextmanager
def keeping(kept: Mapping[str, Any]) -> Iterator[None]:
    """Meanwhile `retold` knows what these texts say, see `kept_texts`."""
    before = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(before)


def with_amounts(given: Mapping[str, object]) -> dict[str, object]:
    """What a text is filled in with, amounts of money as the active language writes them."""
    from rdsim.languages import won  # noqa: PLC0415 - as above

    return won.korean_amounts(given) if _ACTIVE.get() == "ko" else dict(given)


def with_particles(text: str) -> str:
    """A text that was filled in by other means than `format`, with the particles of the active language."""
    from rdsim.languages import particles  # noqa: PLC0415 - as above

    return particles.with_particles(text) if _ACTIVE.get() == "ko" else text


# --- numbers, dates, money ------------------------------------------------------------------------


def marks(number: str) -> str:
    """A number as English writes it, with the marks of the active language."""
    language = _ACTIVE.get()
    return number if language == ENGLISH else _catalogue(language).marks(number)


def moment(when: datetime) -> str:
    """Day and minute: 2026-11-30 13:54."""
    language = _ACTIVE.get()
    return f"{when:%Y-%m-%d %H:%M}" if language == ENGLISH else _catalogue(language).moment(when)


_UNITS = (
    N_("KRW"),
    N_("thousand KRW"),
    N_("million KRW"),
    N_("billion KRW"),
    N_("trillion KRW"),
    N_("USD"),
    N_("million USD"),
    N_("billion USD"),
    N_("EUR"),
    N_("million EUR"),
    N_("billion EUR"),
    N_("JPY"),
    N_("million JPY"),
    N_("billion JPY"),
)
"""Units of money that are told in words of the language: the unit is translated, and its numbers stay as they are."""


def unit_of_money(unit: str) -> str:
    """What a scenario's unit of money is called; one that no catalogue knows stays as the scenario writes it."""
    return gettext(unit) if unit in _UNITS else unit
