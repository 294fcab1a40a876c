"""Korean money: amounts of billion KRW in 조, 억 and 만, with the digits that English has."""

from __future__ import annotations

import pytest

from rdsim.languages import gettext as _
from rdsim.languages import speaking, unit_of_money
from rdsim.languages.won import jo_and_eok
from rdsim.stats import Interval
from rdsim.whatif.words import _gain, _money
from tests.test_redecisions import world

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("1,887", "1조 8,870억"),
        ("20,000", "20조"),
        ("1,000", "1조"),
        ("999", "9,990억"),
        ("298", "2,980억"),
        ("34.4", "344억"),
        ("34.45", "344.5억"),
        ("0.35", "3.5억"),
        ("0.1", "1억"),
        ("0.017", "1,700만"),
        ("0.000448", "44.8만"),
        (f"{MINUS}1,836", f"{MINUS}1조 8,360억"),
        ("+3.5", "+35억"),
        ("0.00", "0"),
        ("0", "0"),
    ],
)
def test_amounts_are_written_as_koreans_do(number: str, told: str) -> None:
    assert jo_and_eok(number) == told


def test_a_sentence_tells_amounts_and_intervals_of_them_in_one_unit() -> None:
    with speaking("ko"):
        unit = unit_of_money("billion KRW")
        assert _("{amount} {unit}").format(amount="1,887", unit=unit) == "1조 8,870억 원"
        ends = _("{low} to {high}").format(low="2,445", high="2,508")
        said = _("{mean} {unit} ({confidence} interval {interval})").format(
            mean="2,476", unit=unit, confidence="95%", interval=ends
        )
        assert "2조 4,760억 원" in said
        assert "2조 4,450억~2조 5,080억" in said
        assert "95%" in said
        scenario = world()
        assert _money(scenario, -39.5) == f"{MINUS}395억 원"
        gain = _gain(scenario, Interval(-39.5, -62.7, -16.3, 6), "6쌍")
        assert "395억 원" in gain
        assert "163억~627억" in gain


def test_what_counts_something_else_stays_as_it_is() -> None:
    with speaking("ko"):
        unit = unit_of_money("billion KRW")
        said = _("{amount} {unit} lapse on average, most of it at the end of {year} ({most}).").format(
            amount="364", unit=unit, year=2028, most="104"
        )
        assert "3,640억 원" in said
        assert "1,040억" in said
        assert "2028년" in said
        assert _("{label}, {unit}").format(label="순현재가치", unit=unit) == "순현재가치, 십억 원"


def test_a_share_beside_an_amount_is_none_itself() -> None:
    with speaking("ko"):
        said = _(
            "Of {announced} {unit} announced, {paid} is paid on average, net of refunds, and {lapsed} lapses."
        ).format(announced="687", unit=unit_of_money("billion KRW"), paid="575 (84%)", lapsed="114.1")
        assert "5,750억 (84%)" in said
        assert "1,141억" in said


def test_other_units_and_english_are_left_alone() -> None:
    assert _("{amount} {unit}").format(amount="1,887", unit="billion KRW") == "1,887 billion KRW"
    with speaking("ko"):
        assert _("{amount} {unit}").format(amount="398", unit=unit_of_money("million KRW")) == "398 백만 원"
        both = _("{money} ({ends}) where half").format(money="398 백만 원", ends="1~2")
        assert "1~2" in both
        assert _("{amount} {unit}").format(amount="3.1", unit="gold") == "3.1 gold"
