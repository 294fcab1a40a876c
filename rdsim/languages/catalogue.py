"""A catalogue of texts, read from its `.po` file when the first of them is asked for; and what Babel knows."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol

from rdsim.languages import retold, with_amounts, with_particles

__all__ = ["Catalogue", "catalogue_of", "po_file"]


class _Told(str):
    """A text of a catalogue: filled in, its particles are those of what was put in."""

    __slots__ = ()

    def format(self, *given: object, **named: object) -> str:
        """As of any text, with particles, and amounts of money as people write them.

        What is put in is told in the same language.
        """
        told = with_amounts({name: retold(one) if isinstance(one, str) else one for name, one in named.items()})
        return with_particles(super().format(*given, **told))


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The texts of a language by their English, and how it writes numbers, lists and days."""

    language: str
    catalog: Catalog

    @cached_property
    def _texts(self) -> gettext.GNUTranslations:
        """As the standard library looks texts up: by context, in plural forms; what is not there is told in English."""
        compiled = BytesIO()
        write_mo(compiled, self.catalog)
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)

    def text(self, message: str, context: str = "") -> str:
        """The text of a message; the message itself where there is none."""
        found = self._texts.pgettext(context, message) if context else self._texts.gettext(message)
        return _Told(found)

    def plural(self, one: str, many: str, number: int) -> str:
        """The text about so many."""
        return _Told(self._texts.ngettext(one, many, number))

    def of_scripts(self) -> dict[str, list[str]]:
        """Texts of scripts, in their plural forms, by their English."""
        return {
            _first(message.id): [str(one) for one in forms]
            for message in self.catalog
            for forms in [message.string if isinstance(message.string, tuple) else (message.string,)]
            if message.id and any(str(file).endswith(".js") for file, _ in message.locations)
        }

    # --- of Babel ---------------------------------------------------------------------------------

    @cached_property
    def _signs(self) -> dict[int, str]:
        """What stands for the comma and the point of English numbers, and for their sign of per cent."""
        decimal, group = get_decimal_symbol(self.language), get_group_symbol(self.language)
        percent = Locale.parse(self.language).percent_formats[None].pattern.rpartition("0")[2]
        return {ord(","): group, ord("."): decimal, ord("%"): percent}

    def marks(self, number: str) -> str:
        """A number of English marks with those of the language."""
        return number.translate(self._signs)

    def listing(self, names: Sequence[str]) -> str:
        """Names as in a sentence."""
        return format_list(list(names), locale=self.language) if names else ""

    def moment(self, when: datetime) -> str:
        """A day and its minute."""
        return f"{format_date(when, 'medium', self.language)} {format_time(when, 'HH:mm', locale=self.language)}"


def _first(message: Any) -> str:
    return str(message[0] if isinstance(message, tuple) else message)


def po_file(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return Path(__file__).parent / f"{language}.po"


@lru_cache
def catalogue_of(language: str) -> Catalogue:
    """The catalogue of a language, read once."""
    with po_file(language).open("rb") as file:
        return Catalogue(language, read_po(file, locale=language))
